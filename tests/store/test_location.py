from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.store import Store, StoreError
from orchestrator.store.location import S3Location, check_location, parse_s3

SECRET = "wJalrXUtnFEMI/K7MDENG"


def test_a_bucket_alone() -> None:
    assert parse_s3("s3://results") == S3Location(bucket="results")
    assert parse_s3("s3://results/").root == "results"


@pytest.mark.parametrize(
    "written",
    [
        "endpoint_override=http://host:9000&scheme=http",
        "endpoint_override=http%3A%2F%2Fhost%3A9000",
        "endpoint_override=http://host:9000/",
        "scheme=http&endpoint_override=host:9000",
    ],
)
def test_an_endpoint_is_written_with_or_without_its_scheme(written: str) -> None:
    location = parse_s3(f"s3://results/a/b/?{written}&region=eu-west-1&retry_seconds=90")
    assert location == S3Location(
        bucket="results",
        folder="a/b",
        endpoint="host:9000",
        scheme="http",
        region="eu-west-1",
        retry_seconds=90.0,
    )
    assert location.name == "s3://results/a/b at http://host:9000"


@pytest.mark.parametrize(
    "uri",
    [
        f"s3://AKIAIOSFODNN7:{SECRET}@results/a",
        f"s3://AKIAIOSFODNN7:{SECRET}",
        f"s3://{SECRET}@results/a",
        f"S3://AKIAIOSFODNN7:{SECRET}@results/a",
        f"s3://results/a?access_key=AKIAIOSFODNN7&secret_key={SECRET}",
        f"s3://results/a?session_token={SECRET}",
        f"s3://results/a?endpoint_override=http://AKIAIOSFODNN7:{SECRET}@host:9000",
        f"s3://results/a?{SECRET}",
        f"hdfs://AKIAIOSFODNN7:{SECRET.replace('/', '')}@host/a",
    ],
)
def test_credentials_are_refused_and_never_shown(uri: str) -> None:
    with pytest.raises(StoreError) as caught:
        check_location(uri)
    message = str(caught.value)
    assert not [part for part in ("AKIA", "wJalr", "K7MDENG") if part in message]
    if "?wJal" not in uri:
        assert "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment" in message


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://", "no name of a bucket; expected s3://bucket/folder"),
        ("s3://Results/a", "'Results' is no name of a bucket"),
        ("s3://../a", "no name of a bucket"),
        ("s3://results/a/../../b", "'..' is no part of a path in a bucket"),
        ("s3://results/%2e%2e/b", "'..' is no part of a path in a bucket"),
        ("s3://results/a?endpoint=host", "expected endpoint_override, region, retry_seconds"),
        ("s3://results/a?region=a&region=b", "given twice"),
        ("s3://results/a?region=", "region: expected letters"),
        ("s3://results/a?scheme=ftp", "scheme: expected http or https"),
        ("s3://results/a?endpoint_override=http://host/x", "expected host:port"),
        ("s3://results/a?endpoint_override=http://h:1&scheme=https", "says http, scheme says"),
        ("s3://results/a?retry_seconds=-1", "a number from 0 to 86400"),
        ("s3://results/a?retry_seconds=nan", "a number from 0 to 86400"),
        ("s3://results/a?retry_seconds=soon", "a number from 0 to 86400"),
    ],
)
def test_a_mistake_is_told_with_what_was_expected(uri: str, expected: str) -> None:
    with pytest.raises(StoreError, match=expected.replace("?", r"\?")):
        check_location(uri)


@pytest.mark.parametrize("location", ["store", "/a/b", "~/a@b:c", "file:///a", "s3://results/a"])
def test_other_locations_pass_as_they_are(location: str) -> None:
    assert check_location(location) == location


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_an_endpoint_in_the_environment_is_not_ignored_in_silence(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "http://host:9000")
    with pytest.raises(StoreError, match=f"{variable} is set but not read.*endpoint_override="):
        Store("s3://results/a")


def test_the_sweep_file_refuses_credentials_with_its_place_and_without_showing_them(
    tmp_path: Path, tiny: object
) -> None:
    from orchestrator.spec.loading import load_sweep
    from orchestrator.spec.mistakes import SweepError

    uri = f"s3://AKIAIOSFODNN7:{SECRET}@results/a"
    file = tiny(store=uri)  # type: ignore[operator]
    sound = tiny("sound.yaml")  # type: ignore[operator]
    for path, overrides in ((file, []), (sound, [f"store={uri}"]), (sound, [f"[store]={uri}"])):
        with pytest.raises(SweepError, match="store: credentials do not belong") as caught:
            load_sweep(path, overrides)
        assert not [part for part in ("AKIA", "wJalr") if part in str(caught.value)]
