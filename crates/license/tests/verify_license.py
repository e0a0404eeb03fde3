#!/usr/bin/env python3
"""Verifies Tenure license files, written from docs/license-format.md alone.

usage: verify_license.py ROOT_JSON LICENSE_FILE...

For each file prints one line, `ok H` or `refused: why`. Exits 0 if all are good, else 1. Needs the PyPI package
`cryptography`.
"""

import base64
import hashlib
import json
import re
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LICENSE = "application/vnd.tenure.license.v1+json"
TRUST_ROOT = "application/vnd.tenure.trust-root.v1+json"
SMALL_ORDER = {
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
}
LICENSE_MEMBERS = set(
    "v aud license agreement vendor provider company product usage_type workloads points automatic_reporting anchor "
    "expires_at grace_days reported_through issued_at epoch serial installation activation servers min_root "
    "workload_detail crit".split()
)
OPTIONAL = {"company", "anchor", "reported_through", "installation", "activation", "crit"}
ROOT_MEMBERS = set(
    "v aud version vendor issued_at renew_by keys root_threshold continuity_threshold epoch_floor revoked_continuity "
    "test_clock crit".split()
)


class Refused(Exception):
    pass


# Section 1

def unarmor(raw):
    if len(raw) > 192 * 1024:
        raise Refused("the file is too large")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("the file is not UTF-8") from None
    lines = [line.rstrip() for line in text.removeprefix("\ufeff").split("\n")]
    while lines and not lines[0]:
        lines.pop(0)
    while lines and not lines[-1]:
        lines.pop()
    if len(lines) < 2 or lines[0] != "-----BEGIN TENURE LICENSE-----" or lines[-1] != "-----END TENURE LICENSE-----":
        raise Refused("the file does not begin and end as a license file")
    if "" not in lines:
        raise Refused("there is no blank line")
    blank = lines.index("")
    if any(line.startswith("-----") for line in lines[1:blank]):
        raise Refused("a comment looks like the beginning of a block")
    return from_base64("".join(lines[blank:-1]))


def from_base64(text):
    try:
        decoded = base64.b64decode(text, validate=True)
    except ValueError:
        raise Refused("not base64") from None
    if base64.b64encode(decoded).decode() != text:
        raise Refused("not the one spelling in base64")
    return decoded


# Section 4

def strict_json(raw):
    def members(pairs):
        if len({key for key, _ in pairs}) != len(pairs):
            raise Refused("a key twice")
        return dict(pairs)

    def integer(text):
        if text == "-0" or abs(int(text)) >= 2**53:
            raise Refused("a number that two readers may read differently")
        return int(text)

    def never(text):
        raise Refused(f"the number {text}")

    def check(value, depth):
        if isinstance(value, (dict, list)):
            if depth == 8:
                raise Refused("too deep")
            for inner in [*value, *value.values()] if isinstance(value, dict) else value:
                check(inner, depth + 1)
        elif isinstance(value, str):
            value.encode("utf-8")

    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=members, parse_int=integer, parse_float=never,
                           parse_constant=never)
        check(value, 0)
    except (ValueError, RecursionError) as error:
        raise Refused(f"not strict JSON: {error}") from None
    return value


# Sections 2 and 3

def read_envelope(raw, expected_type):
    if len(raw) > 768 * 1024:
        raise Refused("the envelope is too large")
    envelope = strict_json(raw)
    if not isinstance(envelope, dict) or envelope.get("payloadType") != expected_type:
        raise Refused("another type")
    text, signatures = envelope.get("payload"), envelope.get("signatures")
    if not isinstance(text, str) or len(text) > -(-64 * 1024 // 3) * 4:
        raise Refused("no payload, or too large a one")
    payload = from_base64(text)
    if len(payload) > 64 * 1024:
        raise Refused("the payload is too large")
    if not isinstance(signatures, list) or not 1 <= len(signatures) <= 8:
        raise Refused("not 1 to 8 signatures")
    kind = expected_type.encode()
    pae = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    return payload, pae, [(entry.get("keyid", ""), from_base64(entry["sig"])) for entry in signatures]


def is_usable_point(encoded):
    y = bytearray(encoded)
    y[31] &= 0x7F
    return int.from_bytes(y, "little") < 2**255 - 19 and y.hex() not in SMALL_ORDER


def verifies(key, message, signature):
    if len(signature) != 64 or not is_usable_point(key) or not is_usable_point(signature[:32]):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        return True
    except InvalidSignature:
        return False


def signers(keys, pae, signatures):
    """The distinct listed keys that signed. The hint only orders the search, so it can be left out."""
    return [listed for listed in keys if any(verifies(listed["raw"], pae, signature) for _, signature in signatures)]


# Section 5

def read_root(raw):
    payload, pae, signatures = read_envelope(raw, TRUST_ROOT)
    root = strict_json(payload)
    check_head(root, ROOT_MEMBERS)
    keys = [key for key in root["keys"] if key["alg"] == "ed25519"
            and key["role"] in ("root", "license", "receipt", "continuity")]
    for key in keys:
        key["raw"] = from_base64(key["key"])
    if len({key["raw"] for key in keys}) != len(keys) or root["version"] < 1 or root["root_threshold"] < 1:
        raise Refused("the trust root contradicts itself")
    signed = [key for key in signers(keys, pae, signatures) if key["role"] == "root" and key.get("revoked") is None]
    if len(signed) < root["root_threshold"]:
        raise Refused("not enough root keys signed the trust root")
    return root, keys


def check_head(payload, members):
    if not isinstance(payload, dict) or payload.get("v") != 1:
        raise Refused("not version 1")
    unknown = [name for name in payload.get("crit", []) if name not in members]
    if unknown:
        raise Refused(f"critical and not understood: {unknown[0]}")


# Section 6

def verify(raw, root, keys):
    payload, pae, signatures = read_envelope(unarmor(raw), LICENSE)
    found = signers(keys, pae, signatures)
    if not found:
        raise Refused("no known key signed it")
    found = [key for key in found if key["role"] == "license" and key.get("revoked") is None]
    if not found:
        raise Refused("no key that may sign licenses signed it")
    license_ = strict_json(payload)
    check_head(license_, LICENSE_MEMBERS)
    missing = LICENSE_MEMBERS - OPTIONAL - license_.keys()
    if missing:
        raise Refused(f"incomplete: {sorted(missing)}")
    if not any(key["from"] <= license_["issued_at"] < key["until"] for key in found):
        raise Refused("its key was not in use when it was issued")
    if license_["aud"] != root["aud"]:
        raise Refused("another deployment's")
    if not root["epoch_floor"] <= license_["epoch"] <= root["epoch_floor"] + 1000:
        raise Refused("an epoch outside the window")
    if license_["min_root"] > root["version"]:
        raise Refused("it needs a newer trust root")
    if license_.get("installation") is not None and license_.get("activation") is not None:
        raise Refused("bound, and still with a code")
    return hashlib.sha256(pae).hexdigest()


def main():
    with open(sys.argv[1], "rb") as file:
        root, keys = read_root(file.read())
    good = True
    for name in sys.argv[2:]:
        try:
            with open(name, "rb") as file:
                print("ok", verify(file.read(), root, keys))
        except Refused as why:
            good = False
            print("refused:", re.sub(r"\s+", " ", str(why)))
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Refused as why:
        sys.exit(f"{sys.argv[1]}: {why}")
