"""What the scripts around the reference client share: calling it, and finding what its models lack in an answer.

The host and the client's version are the script's first two arguments.
"""

import functools
import importlib
import inspect
import re
import sys
from pathlib import Path

import attrs
import veeam_spc
from veeam_spc.versions import VERSION_TO_PACKAGE

HOST, VERSION = sys.argv[1:3]
# What answers lack. Almost nothing is required by the client's models, so that they let pass what is absent or misspelled.
GAPS = set()
# What this server does not have, by model.
ABSENT = {}
TYPES = importlib.import_module(VERSION_TO_PACKAGE[VERSION] + ".types")
MODELS = importlib.import_module(VERSION_TO_PACKAGE[VERSION] + ".models")


def equal(found, expected, what):
    if found != expected:
        raise AssertionError(f"{VERSION}: {what}: {found!r} instead of {expected!r}")


@functools.cache
def known(model):
    """The properties that a model has in any version of the client; all versions are read, since importing them is slow."""
    found = set()
    for package in VERSION_TO_PACKAGE.values():
        version, module = package.rsplit(".", 1)[1], model.__module__.rsplit(".", 1)[1]
        source = Path(veeam_spc.__file__).parent / version / "models" / f"{module}.py"
        found |= set(re.findall(r'pop\("(\w+)"', source.read_text() if source.exists() else ""))
    return found


def gaps(value, path):
    """Where an answer lacks a property that its model has, has one that no version's model has, or has one of another
    type: that the client leaves as it came."""
    if isinstance(value, list):
        return [gap for one in value for gap in gaps(one, path + "[]")]
    if type(value).__name__ == "Unset":
        # Clients before 3.6.1 are not given what would be null.
        return [path] if VERSION not in ("3.5.1", "3.6") else []
    if not attrs.has(type(value)):
        return [path] if isinstance(value, dict) else []
    name = type(value).__name__
    # What a request's query held, and what a write answered, is whatever that was.
    if name.endswith(("QueryParameters", "GetAsyncActionResultResponse200")):
        return []
    unknown = [one for one in value.additional_properties if one not in known(type(value))]
    found = [f"{name}.{one} (unknown)" for one in unknown]
    for field in attrs.fields(type(value)):
        if field.name != "additional_properties" and field.name not in ABSENT.get(name, []):
            part = getattr(value, field.name)
            found += gaps(part, f"{name}.{field.name}")
            found += [f"{name}.{field.name} (text)"] if type(part) is str and "str" not in str(field.type) else []
    return found


class Api:
    """Operations by area and name; an answer that is none the operation knows, or not all of it, fails here."""

    def __init__(self, client):
        self.client = client

    async def __call__(self, operation, *args, **kwargs):
        called = self.client.api(operation)
        # Clients before 3.7 cannot filter and sort, nor select.
        taken = inspect.signature(called).parameters
        answer = await self.client.call(called, *args, **{name: arg for name, arg in kwargs.items() if name in taken})
        if answer is None or type(answer).__name__ in ("ErrorResponse", "OAuth2Error"):
            raise AssertionError(f"{VERSION}: {operation}: {answer!r}")
        GAPS.update(gap for gap in gaps(answer, operation) if not re.search("Response(200)?.meta$", gap))
        answer.to_dict()
        return answer

    async def refused(self, operation, *args, **kwargs):
        answer = await self.client.call(self.client.api(operation), *args, **kwargs)
        equal(type(answer).__name__, "ErrorResponse", operation)
        return answer.errors[0]


def replace(**fields):
    return [
        MODELS.JsonPatch(op=MODELS.JsonPatchOp.REPLACE, path=f"/{name}", value=value) for name, value in fields.items()
    ]


LISTS = [
    "pulse.get_pulse_license_contracts",
    "pulse.get_pulse_licenses",
    "pulse.get_pulse_tenants",
    "licensing.get_backup_servers_licenses",
    "licensing.get_v_one_servers_licenses",
    "licensing.get_vb_365_servers_licenses",
    "licensing.get_site_licenses",
    "licensing.get_latest_licensing_reports",
    "licensing.get_licensing_reports",
    "licensing.get_organizations_license_usage",
    "async_actions.get_async_actions_info",
]
SINGLES = [
    "about.get_about_information",
    "pulse.get_pulse_configuration",
    "pulse.get_pulse_license_products",
    "licensing.get_console_license_information",
    "licensing.get_console_license_settings",
    "licensing.get_licensing_reports_settings",
    "async_actions.get_async_actions_config",
]
if VERSION == "3.7":
    LISTS.append("preview_operations.get_pulse_vdc_monthly_usages")
ONE_SERVER = {
    "backupServers": "licensing.get_backup_server_license",
    "voneServers": "licensing.get_v_one_server_license",
    "vb365Servers": "licensing.get_vb_365_server_license",
    "sites": "licensing.get_site_license",
}
