"""Reads all that the console API answers of some providers, and does to each what changes nothing for good.

Usage: reads.py HOST VERSION TOKEN..

Prints a JSON line at the end: by operation, how many things were read.
"""

import asyncio
import json
import sys
import uuid
from collections import Counter

from client import GAPS, HOST, LISTS, MODELS, ONE_SERVER, SINGLES, VERSION, Api, equal, replace
from veeam_spc.client import VeeamClient

TOKENS = sys.argv[3:]
SEEN = Counter()
# Of each kind, so many are also read alone.
ALONE = 5
UPDATES = {
    "backupServers": "licensing.update_backup_server_license",
    "voneServers": "licensing.update_v_one_server_license",
    "vb365Servers": "licensing.update_vb_365_server_license",
    "sites": "licensing.update_site_license",
}
UIDS = {
    "backupServers": "backup_server_uid",
    "voneServers": "v_one_server_uid",
    "vb365Servers": "vb_365_server_uid",
    "sites": "site_uid",
}
OF_FAMILY = {
    "backupServers": "licensing.get_backup_servers_licenses",
    "voneServers": "licensing.get_v_one_servers_licenses",
    "vb365Servers": "licensing.get_vb_365_servers_licenses",
    "sites": "licensing.get_site_licenses",
}


async def everything(api):
    found = {}
    for operation in [*LISTS, *SINGLES, "organizations.get_organizations"]:
        found[operation] = (await api(operation)).data
        SEEN[operation] += len(found[operation]) if isinstance(found[operation], list) else 1
    for one in found["pulse.get_pulse_licenses"][:ALONE]:
        alone = (await api("pulse.get_pulse_license", one.instance_uid)).data
        equal(alone.to_dict(), one.to_dict(), "a license alone")
    for one in found["pulse.get_pulse_tenants"][:ALONE]:
        await api("pulse.get_pulse_tenant", one.instance_uid)
    for report in found["licensing.get_licensing_reports"][:ALONE]:
        parameters = getattr(report, "report_parameters", None) or report.report_paremeters
        dated = (await api("licensing.get_licensing_reports_for_date", parameters.generation_date)).data
        SEEN["licensing.get_licensing_reports_for_date"] += len(dated)
    for family, operation in ONE_SERVER.items():
        for one in found[OF_FAMILY[family]][:ALONE]:
            await api(operation, getattr(one, UIDS[family]))
    return found


async def changes(api, found):
    """What may be done to anybody's data at any time."""
    await api("pulse.sync_pulse_data")
    await api("pulse.patch_pulse_configuration", body=replace(isLicenseManagementEnabled=True))
    settings = found["licensing.get_licensing_reports_settings"]
    await api("licensing.patch_licensing_reports_settings", body=replace(autoApprove=settings.auto_approve))
    for family, operation in UPDATES.items():
        for one in found[OF_FAMILY[family]][:1]:
            await api(operation, getattr(one, UIDS[family]))
    for one in found["pulse.get_pulse_tenants"][:1]:
        await api("pulse.create_company_by_pulse_tenant", one.instance_uid, site_uid=uuid.uuid4())
    rented = [one for one in found["pulse.get_pulse_licenses"] if one.assign_status.value == "Assigned"]
    for one in rented[:1]:
        await api("pulse.patch_pulse_license", one.instance_uid, body=replace(description="Read by a script"))
        await api("pulse.download_pulse_license", one.instance_uid)
    for one in rented[:1]:
        # Who is suspended copies nothing, and is told so.
        copy = await api.client.call(api.client.api("pulse.copy_pulse_license"), one.instance_uid)
        if type(copy).__name__ != "ErrorResponse":
            SEEN["copies"] += 1
            await api("pulse.delete_pulse_license", copy.data.instance_uid)
    await api("licensing.finalize_licensing_reports")


async def main():
    for token in TOKENS:
        client = VeeamClient(HOST, VERSION, token=token)
        await client.connect()
        api = Api(client)
        found = await everything(api)
        if VERSION == "3.7":
            await changes(api, found)
            await everything(api)
    equal(sorted(GAPS), [], "properties")
    print(json.dumps(SEEN))


asyncio.run(main())
