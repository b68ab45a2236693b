"""What traffic would cost on other models: real calls, priced again one by one, and what cannot carry over."""

from tokenweir.whatif.answer import Answer, Choice, Period
from tokenweir.whatif.candidate import Candidate
from tokenweir.whatif.compare import WhatIf
from tokenweir.whatif.names import Names, matching_models
from tokenweir.whatif.traffic import COLUMNS

__all__ = ["COLUMNS", "Answer", "Candidate", "Choice", "Names", "Period", "WhatIf", "matching_models"]
