"""01.AI (Yi): OpenAI's chat completions with the plain counts alone.

Sources: Portkey's gateway (provider lingyi); captured usage objects.
"""

from producers.vendors.compatible import compatible

compatible("yi")
