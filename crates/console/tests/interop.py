"""Drives the console API with its reference client, as a provider's script would: the life of a license and of a month.

Usage: interop.py HOST VERSION EMAIL PASSWORD TOKEN EMPTY

TOKEN is the provider's, EMPTY that of a provider which has nothing yet. What only a product can do is asked for on standard output, a JSON line each, and answered on standard input.
"""

import asyncio
import json
import sys
import uuid
from datetime import date, datetime, timezone
from io import BytesIO

from client import GAPS, HOST, LISTS, MODELS, ONE_SERVER, SINGLES, TYPES, VERSION, Api, equal, replace
from veeam_spc.client import VeeamClient

EMAIL, PASSWORD, TOKEN, EMPTY = sys.argv[3:]


def ask(what, **more):
    """Has the test do something a script cannot, and gives its answer."""
    print(json.dumps({"ask": what, **more}), flush=True)
    return json.loads(sys.stdin.readline())


async def license_life(api, read_only):
    contracts = await api("pulse.get_pulse_license_contracts")
    contract = contracts.data[0]
    equal((contract.contract_id, contract.automatic_extension_always_on), ("RA-20117", False), "contract")
    wanted = json.dumps([{"property": "name", "operation": "contains", "collation": "ignorecase", "value": "FILE"}])
    products = await api("pulse.get_pulse_license_products", filter_=wanted)
    if VERSION == "3.7":
        equal((len(products.data), products.meta.paging_info.total), (1, 1), "products")
    product = next(one for one in products.data if "File" in one.name)
    host = next(one for one in product.workloads if one.workload_id == "host")
    equal(host.multiplier, 4.5, "points of a host")
    tenants = await api("pulse.get_pulse_tenants", sort=json.dumps([{"property": "name", "direction": "descending"}]))
    names = [one.name for one in tenants.data]
    equal(names if VERSION == "3.7" else sorted(names, reverse=True), ["Fabrikam", "Contoso AG"], "tenants")
    contoso = next(one for one in tenants.data if one.name == "Contoso AG")
    company = contoso.mapped_master_organization_uid
    tenant = await api("pulse.create_pulse_tenant_by_company", company_uid=company)
    equal(tenant.data.mapping_status.value, "Mapped", "tenant")
    organization = await api("pulse.create_company_by_pulse_tenant", contoso.instance_uid, site_uid=uuid.uuid4())
    equal((organization.data.name, organization.data.instance_uid), ("Contoso AG", company), "company")

    body = MODELS.PulseLicenseInput(
        product_id=product.product_id,
        contract_id=contract.contract_id,
        expiration_date=datetime(2026, 12, 31, tzinfo=timezone.utc),
        workloads=[MODELS.PulseLicenseWorkloadInput(workload_id="host", count=4)],
        description="By script",
        is_automatic_reporting_enabled=True,
    )
    error = await read_only.refused("pulse.create_pulse_license", body=body)
    equal((error.type_.value, error.code), ("security", 403), "a read-only session")
    request = str(uuid.uuid4())
    made = (await api("pulse.create_pulse_license", body=body, x_request_id=request)).data
    again = (await api("pulse.create_pulse_license", body=body, x_request_id=request)).data
    equal(again.instance_uid, made.instance_uid, "the same request again")
    equal((made.assign_status.value, made.automatic_reporting_status.value), ("NotAssigned", "On"), "made")
    equal((made.expiration_date or None, made.points, made.license_id or None), (None, 18.0, None), "a template")
    uid = made.instance_uid

    held = (await api("pulse.patch_pulse_license", uid, body=replace(assignedCompanyUid=str(company)))).data
    equal((held.assign_status.value, held.assigned_company_uid), ("Assigned", company), "assigned")
    equal(held.expiration_date, datetime(2026, 3, 20, 9, tzinfo=timezone.utc), "2.5 months, whatever date was sent")
    file = (await api("pulse.download_pulse_license", uid)).data
    equal(ask("verify", file=file)["license"], str(held.license_id), "the file's license")
    copy = (await api("pulse.copy_pulse_license", uid)).data
    equal((copy.assign_status.value, copy.description), ("NotAssigned", "By script"), "the copy")
    await api("pulse.delete_pulse_license", copy.instance_uid)

    server = uuid.UUID(ask("activate", license=str(held.license_id))["server"])
    more = [{"workloadId": "host", "count": 6}]
    edited = (await api("pulse.patch_pulse_license", uid, body=replace(workloads=more, description="Six"))).data
    equal((edited.points, edited.workloads[0].count, edited.description), (27.0, 6, "Six"), "edited")
    await api("pulse.install_pulse_license", uid, server_uid=server)
    equal(ask("check_in")["result"], "updated", "installed")
    off = (await api("pulse.patch_pulse_license", uid, body=replace(automaticReportingStatus="Off"))).data
    equal(off.automatic_reporting_status.value, "SwitchingToOff", "toggled")
    ask("check_in")
    ask("check_in")
    back = (await api("pulse.patch_pulse_license", uid, body=replace(automaticReportingStatus="On"))).data
    equal(back.automatic_reporting_status.value, "SwitchingToOn", "toggled back")
    ask("check_in")
    ask("check_in")
    settled = (await api("pulse.get_pulse_license", uid)).data
    equal(settled.automatic_reporting_status.value, "On", "settled")

    servers = await api("licensing.get_backup_servers_licenses")
    equal([one.backup_server_uid for one in servers.data], [server], "servers")
    equal((servers.data[0].status.value, servers.data[0].units), ("Valid", 27.0), "the server's license")
    one = await api("licensing.update_backup_server_license", server)
    equal(one.data.license_ids, [held.license_id], "update now")
    await api("pulse.sync_pulse_data")
    pulse = (await api("pulse.get_pulse_configuration")).data
    equal((pulse.status.value, pulse.last_update_date), ("Configured", datetime(2026, 1, 5, 9, tzinfo=timezone.utc)), "pulse")
    return uid, company, server


async def month(api, company, server):
    ask("report")
    usage = await api("licensing.get_organizations_license_usage", organization_uid=company)
    shown = usage.data[0].servers[0]
    workload = shown.workloads[0]
    equal((shown.server_uid, workload.used_count, workload.new_count), (server, 3, 1), "usage now")
    equal((workload.rental_count, workload.used_units), (6, 13.5), "usage now, units")
    settings = (await api("licensing.patch_licensing_reports_settings", body=replace(autoApprove=True))).data
    equal(settings.auto_approve, True, "settings")
    settings = (await api("licensing.patch_licensing_reports_settings", body=replace(autoApprove=False))).data
    equal(settings.auto_approve, False, "settings")

    latest = (await api("licensing.get_latest_licensing_reports")).data
    report = latest[0]
    equal(report.report_status.value, "ApprovalRequired", "the report")
    # Version 3.5.1 spells the name in its own way.
    parameters = getattr(report, "report_parameters", None) or report.report_paremeters
    equal((parameters.report_id, parameters.organization_name), (202601, "Northlight Hosting"), "parameters")
    equal(parameters.report_interval.end_of_interval, date(2026, 1, 31), "interval")
    equal(report.report_summary.total_points, 13.5, "points")
    counted = report.report_summary.products_usage[0].workload_usage[0]
    equal((counted.initial_count, counted.reported_count, counted.new_count, counted.weight), (6, 3, 1, 4.5), "counts")
    equal(counted.workloads_by_platform[0].objects_by_weight[0].used_points, 13.5, "by weight")
    equal([(one.organization_uid, one.used_points) for one in report.organizations_usage], [(company, 13.5)], "companies")
    equal(report.not_collected_cloud_servers, [], "nothing is missing")
    dated = await api("licensing.get_licensing_reports_for_date", parameters.generation_date)
    equal(len(dated.data), 1, "by date")
    none = await api("licensing.get_licensing_reports_for_date", date(2020, 1, 1))
    equal(none.data, [], "another date")
    # The client reads a CSV as JSON and fails on it, so its HTTP client asks.
    client = api.client._client.get_async_httpx_client()
    csv = (await client.get(f"/licensing/reports/{parameters.report_id}/csv")).text.splitlines()
    equal((len(csv), csv[1].split(",")[0], csv[1].split(",")[-1]), (2, "Contoso AG", "13.5"), "CSV")
    months = await api("preview_operations.get_pulse_vdc_monthly_usages") if VERSION == "3.7" else None
    if months is not None:
        equal((months.data[0].month, months.data[0].tenants[0].workloads[0].used_points), ("2026-01", 13.5), "months")

    done = (await api("licensing.finalize_licensing_reports")).data
    equal(done.report_approval_status.value, "Finalization", "submitted")
    reports = (await api("licensing.get_licensing_reports")).data
    equal([one.report_status.value for one in reports], ["Finalization"], "waits for the distributor")
    ask("approve")
    done = (await api("licensing.finalize_licensing_reports")).data
    equal(done.report_approval_status.value, "Approved", "closed")


INSTALLS = {
    "backupServers": ("licensing.install_backup_server_license", "InstallBackupServerLicenseBody"),
    "voneServers": ("licensing.install_v_one_server_license", "InstallVOneServerLicenseBody"),
    "vb365Servers": ("licensing.install_vb_365_server_license", "InstallVb365ServerLicenseBody"),
    "sites": ("licensing.install_site_license", "InstallSiteLicenseBody"),
    "console": ("licensing.install_console_license", "InstallConsoleLicenseBody"),
}


async def empty(api):
    """All that can be read of a provider that has nothing yet."""
    for operation in LISTS:
        equal((await api(operation)).data, [], f"{operation} of an empty provider")
    for operation in SINGLES:
        await api(operation)
    organizations = await api("organizations.get_organizations")
    equal([one.name for one in organizations.data], ["Southgate Hosting"], "an empty provider")
    equal((await api("licensing.get_licensing_reports_for_date", date(2026, 1, 1))).data, [], "no report")
    done = (await api("licensing.finalize_licensing_reports")).data
    equal(done.report_approval_status.value, "NotApprovable", "nothing to submit")


async def everything(api):
    """All that can be read of a provider that has a server of each kind."""
    servers = ask("families")
    for operation in [*LISTS, *SINGLES]:
        answer = await api(operation)
        if operation in LISTS and "async" not in operation:
            equal(bool(answer.data), True, operation)
    for family, operation in ONE_SERVER.items():
        one = (await api(operation, uuid.UUID(servers[family]))).data
        equal((one.status.value, one.auto_update_enabled), ("Valid", True), family)
    console = (await api("licensing.get_console_license_information")).data
    equal((console.status.value, console.licensee_company), ("Valid", "Fabrikam"), "the console")
    await server_licenses(api, {family: uuid.UUID(uid) for family, uid in servers.items()})
    await tenants_merged(api)


async def server_licenses(api, servers):
    """Each server's license from its file, its setting, and its end."""
    licenses = {str(one.license_id): one for one in (await api("pulse.get_pulse_licenses")).data}
    for family, (operation, body) in INSTALLS.items():
        license_id = ask("license_of", server=str(servers[family]))["license"]
        file = (await api("pulse.download_pulse_license", licenses[license_id].instance_uid)).data
        upload = TYPES.File(payload=BytesIO(file.encode()), file_name="license.lic", mime_type="text/plain")
        where = [] if family == "console" else [servers[family]]
        installed = (await api(operation, *where, body=getattr(MODELS, body)(license_=upload))).data
        equal(installed.status.value, "Valid", operation)
        if family != "console":
            changed = operation.replace("install", "patch")
            kept = (await api(changed, *where, body=replace(autoUpdateEnabled=True))).data
            equal(kept.auto_update_enabled, True, changed)
            error = await api.refused(changed, *where, body=replace(autoUpdateEnabled=False))
            equal(error.code, 409, changed)
    await api("licensing.update_console_license")
    await api("licensing.delete_v_one_server_license", servers["voneServers"])
    await api("licensing.delete_backup_server_license", servers["backupServers"])
    error = await api.refused("licensing.get_backup_server_license", servers["backupServers"])
    equal(error.code, 404, "a deleted server")


async def tenants_merged(api):
    """Two companies become one, and two again."""
    tenants = {one.name: one for one in (await api("pulse.get_pulse_tenants")).data}
    keep, gone = tenants["Contoso AG"].instance_uid, tenants["Fabrikam"].instance_uid
    one = (await api("pulse.patch_pulse_tenant", keep, body=replace(mergedOrganizationUids=[gone]))).data
    equal([str(uid) for uid in one.merged_organization_uids], [gone], "merged")
    other = (await api("pulse.get_pulse_tenant", gone)).data
    equal(str(other.mapped_master_organization_uid), keep, "its master")
    one = (await api("pulse.patch_pulse_tenant", keep, body=replace(mergedOrganizationUids=[]))).data
    equal(one.merged_organization_uids, [], "apart again")


async def main():
    by_password = VeeamClient(HOST, VERSION, username=EMAIL, password=PASSWORD)
    await by_password.connect()
    by_password._expires_at = datetime(2000, 1, 1, tzinfo=timezone.utc)
    api = Api(by_password)
    about = await api("about.get_about_information")
    equal(bool(about.data.server_version), True, "about")
    by_token = VeeamClient(HOST, VERSION, token=TOKEN)
    await by_token.connect()
    with_token = Api(by_token)
    equal((await with_token("pulse.get_pulse_licenses")).data, [], "an empty provider")
    nothing = VeeamClient(HOST, VERSION, token=EMPTY)
    await nothing.connect()
    await empty(Api(nothing))
    reader = VeeamClient(HOST, VERSION, token=ask("reader")["token"])
    await reader.connect()
    organizations = await api("organizations.get_organizations", limit=1, offset=1)
    equal(organizations.meta.paging_info.to_dict(), {"total": 3, "count": 1, "offset": 1}, "paging")
    equal((await api("async_actions.get_async_actions_info")).data, [], "async actions")

    uid, company, server = await license_life(api, Api(reader))
    listed = await with_token("pulse.get_pulse_licenses")
    equal([one.instance_uid for one in listed.data], [uid], "licenses")
    await month(with_token, company, server)
    await with_token("pulse.revoke_pulse_license", uid)
    equal(ask("check_in")["result"], "revoked", "revoked")
    await with_token("pulse.delete_pulse_license", uid)
    error = await with_token.refused("pulse.get_pulse_license", uid)
    equal((error.type_.value, error.code), ("logical", 404), "deleted")
    await everything(with_token)
    equal(sorted(GAPS), [], "properties")
    print(json.dumps({"ask": "done"}), flush=True)


asyncio.run(main())
