"""Run inside `odoo shell`: a stock user with a key, an operation type for allocations, a place."""

import json

env = globals()["env"]  # given by the shell

groups = [env.ref("base.group_user").id, env.ref("stock.group_stock_user").id]
user = env["res.users"].create(
    {"name": "Inventory sync", "login": "inventory_sync", "group_ids": [(6, 0, groups)]}
)


def key(of, name):
    return of.with_user(of).sudo().env["res.users.apikeys"]._generate("rpc", name, None)


warehouse = env["stock.warehouse"].search([], limit=1)
warehouse.code = "DC01"
env["stock.warehouse"].create({"name": "Store", "code": "NYC"})
env["stock.picking.type"].create(
    {
        "name": "NewStore allocations",
        "code": "outgoing",
        "sequence_code": "NSA",
        "warehouse_id": warehouse.id,
        "default_location_src_id": warehouse.lot_stock_id.id,
        "default_location_dest_id": warehouse.out_type_id.default_location_dest_id.id,
        "reservation_method": "manual",
    }
)
keys = {"sync": key(user, "sync"), "admin": key(env.ref("base.user_admin"), "setup")}
print("KEYS " + json.dumps(keys))
env.cr.commit()
