"""Signatures, held to the examples that vendors publish, or where they publish none to what their own SDK computes."""

from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials

from producers.bills.request import Credentials, Request, Sign
from producers.bills.signing.alibaba import alibaba_signature
from producers.bills.signing.baidu import baidu_signature
from producers.bills.signing.huawei import huawei_signature
from producers.bills.signing.tencent import tencent_signature
from producers.bills.signing.version4 import aws_signature, volcano_signature

PAIR = Credentials(key_id="AK-made-up", key="SK-made-up")
AT = datetime(2026, 11, 2, 3, 4, 5, tzinfo=UTC)
JSON = (("Content-Type", "application/json"),)


def signature(sign: Sign, request: Request, credentials: Credentials = PAIR, at: datetime = AT) -> str:
    """The signature itself, which stands last in the header."""
    header = dict(sign(request, credentials, at).headers)["Authorization"]
    return header.replace("/", "=").rpartition("=")[2]


def test_aws_published_example() -> None:
    """`get-vanilla` of the Signature Version 4 test suite."""
    request = Request(method="GET", url="https://example.amazonaws.com/")
    pair = Credentials(key_id="AKIDEXAMPLE", key="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    at = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
    assert signature(aws_signature("us-east-1", "service"), request, pair, at) == (
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    )


@pytest.mark.parametrize("token", ["", "session-made-up"])
def test_aws_as_botocore_signs(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = (("Content-Type", "application/x-amz-json-1.1"), ("X-Amz-Target", "A.B"))
    body = b'{"a": "\xc3\xbc"}'
    theirs = AWSRequest("POST", "https://ce.us-east-1.amazonaws.com/", dict(headers), body)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: AT.replace(tzinfo=None))
    SigV4Auth(BotoCredentials(PAIR.key_id, PAIR.key, token or None), "ce", "us-east-1").add_auth(theirs)
    request = Request(method="POST", url="https://ce.us-east-1.amazonaws.com/", headers=headers, body=body)
    pair = Credentials(key_id=PAIR.key_id, key=PAIR.key, session_token=token)
    ours = dict(aws_signature("us-east-1", "ce")(request, pair, AT).headers)
    assert ours["Authorization"] == theirs.headers["Authorization"]
    assert ours.get("X-Amz-Security-Token", "") == token


def test_tencent_published_example() -> None:
    """Of the documentation of signature v3, which signs content type and host."""
    request = Request(
        method="POST",
        url="https://cvm.tencentcloudapi.com/",
        headers=(("Content-Type", "application/json; charset=utf-8"),),
        body=b'{"Limit": 1, "Filters": [{"Values": ["\\u672a\\u547d\\u540d"], "Name": "instance-name"}]}',
    )
    pair = Credentials(key_id="AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", key="Gu5t9xGARNpq86cd98joQYCN3EXAMPLE")
    assert signature(tencent_signature("cvm"), request, pair, datetime.fromtimestamp(1551113065, UTC)) == (
        "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
    )


def test_alibaba_published_example() -> None:
    """Of the documentation of signature V3."""
    request = Request(
        method="POST",
        url="https://ecs.cn-shanghai.aliyuncs.com/",
        query=(
            ("ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"),
            ("RegionId", "cn-shanghai"),
        ),
        headers=(
            ("x-acs-action", "RunInstances"),
            ("x-acs-version", "2014-05-26"),
            ("x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d"),
        ),
    )
    pair = Credentials(key_id="YourAccessKeyId", key="YourAccessKeySecret")
    at = datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC)
    assert signature(alibaba_signature, request, pair, at) == (
        "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


@pytest.mark.parametrize(
    ("sign", "request_", "expected"),
    [
        pytest.param(
            tencent_signature("tokenhub"),
            Request(
                method="POST",
                url="https://tokenhub.tencentcloudapi.com/",
                headers=(*JSON, ("X-TC-Action", "DescribeUsageRankList")),
                body=b'{"Dimension":"model"}',
            ),
            "54f81831a9813ec2f03ef5e968ba4526cdb34c35380ebccbb4c572bd2b37c497",
            id="tencentcloud-sdk-python-common 3.1.195",
        ),
        pytest.param(
            baidu_signature,
            Request(
                method="POST",
                url="https://qianfan.baidubce.com/v2/service",
                query=(("Action", "DescribeServiceStats"),),
                headers=JSON,
                body=b"{}",
            ),
            "c8ec32846a34fe4ae9be1348013a27c933bdbda26af8785ff581379a103ffb1b",
            id="bce-python-sdk 0.9.79",
        ),
        pytest.param(
            huawei_signature,
            Request(
                method="POST",
                url="https://modelarts.cn-southwest-2.myhuaweicloud.com/v1/p1/maas/monitoring/show-statistics",
                query=(("a", "b c"),),
                headers=JSON,
                body=b'{"service_type":2}',
            ),
            "2baebfd7b96cbfff00278a3fba37fec47e2284361b1c3f87175141fdd69aaf9a",
            id="huaweicloudsdkcore 3.1.219",
        ),
        pytest.param(
            volcano_signature("cn-beijing", "ark"),
            Request(
                method="POST",
                url="https://open.volcengineapi.com/",
                query=(("Action", "GetUsage"), ("Version", "2024-01-01")),
                headers=(("Content-Type", "application/json; charset=UTF-8"),),
                body=b'{"Interval":86400}',
            ),
            "89b8d3d45d1116254d6d4cb4609e9b27a0ee053740d6460e6d54ed3af38c74ab",
            id="volcengine-python-sdk 5.0.54",
        ),
    ],
)
def test_as_the_vendors_sdk_signs(sign: Sign, request_: Request, expected: str) -> None:
    assert signature(sign, request_) == expected


def test_a_signed_request_does_not_hold_the_secret() -> None:
    request = Request(method="POST", url="https://example.com/a", headers=JSON, body=b"{}")
    for sign in (
        aws_signature("r", "s"),
        volcano_signature("r", "s"),
        tencent_signature("s"),
        alibaba_signature,
        baidu_signature,
        huawei_signature,
    ):
        assert PAIR.key not in repr(sign(request, PAIR, AT))
        other = sign(Request(method="POST", url="https://example.com/a", headers=JSON, body=b"{ }"), PAIR, AT)
        assert sign is baidu_signature or other.headers[-1] != sign(request, PAIR, AT).headers[-1]
