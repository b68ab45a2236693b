"""01.AI (Yi): OpenAI's chat completions with the plain counts alone.

Sources: Portkey's gateway (provider lingyi); captured usage objects.
"""

from producers.vendors import hosts
from producers.vendors import openai_shapes as shapes

hosts.register("yi", hosts.compatible(shapes.read_chat_completion), names={"chat_completions": ("chat",)})
