"""Reads all that the console API answers of some providers.

Usage: reads.py HOST VERSION TOKEN..

Prints a JSON line at the end: by operation, how many things were read.
"""

import asyncio
import json
import sys
from collections import Counter

from client import GAPS, HOST, LISTS, ONE_SERVER, SINGLES, VERSION, Api, equal
from veeam_spc.client import VeeamClient

TOKENS = sys.argv[3:]
SEEN = Counter()
# Of each kind, so many are also read alone.
ALONE = 5
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


async def main():
    for token in TOKENS:
        client = VeeamClient(HOST, VERSION, token=token)
        await client.connect()
        api = Api(client)
        await everything(api)
    equal(sorted(GAPS), [], "properties")
    print(json.dumps(SEEN))


asyncio.run(main())
