"""No float in the money: none is written in the source, and none comes into what the pricing path makes."""

import ast
from pathlib import Path

import tokenweir.pricing

NO_AMOUNTS = {("known_names.py", "_NEAR"), ("known_names.py", "_NEAR_ELSEWHERE")}
"""How alike two names are, as difflib takes it."""


def test_no_float_is_written_anywhere_in_the_package() -> None:
    """No float literal, no true division, and `float` only where it is refused."""
    for path in sorted(Path(tokenweir.pricing.__file__).parent.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        refusals = {
            id(argument)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance"
            for argument in node.args
        }
        no_amounts = {
            id(node.value)
            for node in tree.body
            if isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and (path.name, node.target.id) in NO_AMOUNTS
        }
        for node in ast.walk(tree):
            place = (path.name, getattr(node, "lineno", 0))
            is_float = isinstance(node, ast.Constant) and isinstance(node.value, float)
            assert not is_float or id(node) in no_amounts, place
            assert not (isinstance(node, ast.BinOp) and _makes_a_float(node)), place
            assert not (isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Div)), place
            if isinstance(node, ast.Name) and node.id == "float":
                assert id(node) in refusals, place


def _makes_a_float(operation: ast.BinOp) -> bool:
    """Whether it is a division of numbers: not of a path by a text, nor by a Decimal, which refuses floats."""
    if not isinstance(operation.op, ast.Div):
        return False
    divisor = operation.right
    is_text = isinstance(divisor, ast.JoinedStr) or (
        isinstance(divisor, ast.Constant) and isinstance(divisor.value, str)
    )
    is_decimal = (
        isinstance(divisor, ast.Call) and isinstance(divisor.func, ast.Name) and divisor.func.id == "Decimal"
    )
    return not (is_text or is_decimal)
