"""Huawei Cloud: Pangu's own interface, and ModelArts MaaS, compatible with OpenAI.

Accounting: `total = prompt + completion`. Pangu's counts are typed as floats and come as `98.0`. Its first version
names the deployment in the URL and no model in the answer. Errors (`error_code`, `error_msg`) state no usage.
Sources: types of the package huaweicloudsdkpangulargemodels 3.1 (v1, v2); Huawei Cloud's pages on MaaS.
Limits: whether MaaS tells cached and reasoning tokens could not be verified; they are read where OpenAI puts them.
"""

from producers.vendors.compatible import compatible

compatible("huawei", names={"chat_completions": ("chat", "pangu", "pangu_v1", "pangu_v2", "maas", "native")})
