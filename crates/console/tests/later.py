"""Names writes at a server that answers none of them at once, and asks for them later.

Usage: later.py HOST VERSION TOKEN
"""

import asyncio
import sys
import uuid
from datetime import datetime, timezone

from client import GAPS, HOST, MODELS, VERSION, Api, equal
from veeam_spc.client import VeeamClient

TOKEN = sys.argv[3]


async def settled(api, request):
    for _ in range(200):
        action = (await api("async_actions.get_async_action_info", request)).data
        if action.status.value != "running":
            return action
        await asyncio.sleep(0.05)
    raise AssertionError("the action runs on")


async def main():
    client = VeeamClient(HOST, VERSION, token=TOKEN)
    await client.connect()
    api = Api(client)
    contract = (await api("pulse.get_pulse_license_contracts")).data[0]
    product = (await api("pulse.get_pulse_license_products")).data[0]
    body = MODELS.PulseLicenseInput(
        product_id=product.product_id,
        contract_id=contract.contract_id,
        expiration_date=datetime(2026, 12, 31, tzinfo=timezone.utc),
        workloads=[MODELS.PulseLicenseWorkloadInput(workload_id=product.workloads[0].workload_id, count=4)],
    )
    request = str(uuid.uuid4())
    create = client.api("pulse.create_pulse_license")
    equal(await client.call(create, body=body, x_request_id=request), None, "202 has nothing in it")
    action = await settled(api, request)
    equal((action.status.value, action.action_name), ("succeed", "POST /api/v3/pulse/licenses"), "the action")
    equal("RA-20117" in action.request_body, True, "its body")
    listed = (await api("async_actions.get_async_actions_info")).data
    equal([str(one.id) for one in listed], [request], "all actions")
    made = (await api("async_actions.get_async_action_result", request))["data"]
    again = (await api("pulse.create_pulse_license", body=body, x_request_id=request)).data
    equal(str(again.instance_uid), made["instanceUid"], "sent again, it is answered at once")
    equal(len((await api("pulse.get_pulse_licenses")).data), 1, "and was done once")
    config = (await api("async_actions.get_async_actions_config")).data
    equal(config.result_retention_time, 48 * 3600, "how long it is kept")
    data = MODELS.AsyncActionRequestData(request_body="{}", query_parameters=None)
    attached = (await api("async_actions.attach_request_data_to_async_action", request, body=data)).data
    equal(attached.request_body, "{}", "other request data")
    error = await api.refused("async_actions.cancel_async_action", request)
    equal(error.code, 409, "what is done is not cancelled")
    await api("async_actions.clear_async_action_result", request)
    error = await api.refused("async_actions.get_async_action_result", request)
    equal(error.code, 404, "a cleared result")

    body.contract_id = "none"
    request = str(uuid.uuid4())
    equal(await client.call(create, body=body, x_request_id=request), None, "a refusal is heard later too")
    equal((await settled(api, request)).status.value, "failed", "a refused action")
    equal(sorted(GAPS), [], "properties")


asyncio.run(main())
