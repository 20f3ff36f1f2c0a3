"""Addresses in messages begin with PUBLIC_URL, and digests of secrets outlive a change of SECRET_KEY."""

from typing import Any

from web.addresses import public_address
from web.keyed_digests import keyed_digests


def test_an_address_in_a_message_is_whole_and_its_parameters_are_encoded(settings: Any) -> None:
    settings.PUBLIC_URL = "https://traces.example.com"
    assert public_address("livez") == "https://traces.example.com/livez"
    assert public_address("livez", token="a b&c") == "https://traces.example.com/livez?token=a+b%26c"


def test_a_digest_is_found_under_the_keys_of_the_past_and_for_its_purpose_only(settings: Any) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "old", []
    [stored] = keyed_digests("a", "secret")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", ["old"]
    assert keyed_digests("a", "secret").index(stored) == 1
    assert stored not in keyed_digests("b", "secret")
    settings.SECRET_KEY_FALLBACKS = []
    assert stored not in keyed_digests("a", "secret")
