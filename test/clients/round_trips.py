"""200 randomised round trips of every order and account method of the official Python client, in mixed order.

A small model knows what each account must hold; every answer is compared with it. SAUDA_HOST, SAUDA_KEY and SAUDA_SEED
come from the environment; one line is printed for each method.
"""

import re

from trips import client, done, equal, make_trips, refused, rng

ROUNDS = 200
SYMBOLS = ["SBIN", "RELIANCE", "TCS", "INFY", "ITC", "HDFCBANK"]
ORDER_ID = re.compile(r"\d{14}")

position = dict.fromkeys(SYMBOLS, 0)
working = {}
options = {}


def is_order_id(text):
    assert ORDER_ID.fullmatch(text), f"{text!r} is no order id"


def low_price(symbol):
    return round(done(client.quotes(symbol=symbol, exchange="NSE"))["data"]["ltp"] * 0.9)


def signed(action, quantity):
    return quantity if action == "BUY" else -quantity


def any_action():
    return rng.choice(["BUY", "SELL"])


def held(symbol):
    return int(done(client.openposition(symbol=symbol, exchange="NSE", product="MIS"))["quantity"])


def rest(symbol=None):
    """A limit order that can't trade, and the model's note of it."""
    symbol = symbol or rng.choice(SYMBOLS)
    quantity, price = rng.randint(1, 20), low_price(symbol)
    answer = client.placeorder(
        symbol=symbol, action="BUY", exchange="NSE", price_type="LIMIT", product="MIS", quantity=quantity, price=price
    )
    working[done(answer)["orderid"]] = {"symbol": symbol, "quantity": quantity, "price": price}
    return answer["orderid"]


def trip_placeorder():
    symbol, action, quantity = rng.choice(SYMBOLS), any_action(), rng.randint(1, 9)
    strategy = rng.choice(["", "desk", "Python"])
    answer = done(client.placeorder(strategy=strategy, symbol=symbol, action=action, exchange="NSE", quantity=quantity))
    is_order_id(answer["orderid"])
    position[symbol] += signed(action, quantity)
    equal(held(symbol), position[symbol])


def trip_placesmartorder():
    symbol, target = rng.choice(SYMBOLS), rng.randint(-10, 10)
    action, quantity = any_action(), rng.randint(0, 5)
    before = position[symbol]
    answer = done(
        client.placesmartorder(
            symbol=symbol, action=action, exchange="NSE", product="MIS", quantity=quantity, position_size=target
        )
    )
    if target == 0 and before == 0 and quantity > 0:
        position[symbol] = signed(action, quantity)
    else:
        position[symbol] = target
    equal("orderid" in answer, position[symbol] != before)
    if position[symbol] == before:
        assert "No" in answer["message"], answer
    equal(held(symbol), position[symbol])


def trip_basketorder():
    legs = []
    for _ in range(rng.randint(1, 6)):
        leg = {"symbol": rng.choice(SYMBOLS), "exchange": "NSE", "action": any_action(), "quantity": rng.randint(1, 5)}
        legs.append(leg | {"pricetype": "MARKET", "product": "MIS"})
    results = done(client.basketorder(orders=legs))["results"]
    equal([row["symbol"] for row in results], [leg["symbol"] for leg in legs])
    for row, leg in zip(results, legs):
        equal(row["status"], "success")
        is_order_id(row["orderid"])
        position[leg["symbol"]] += signed(leg["action"], leg["quantity"])
    equal(len({row["orderid"] for row in results}), len(legs))
    for leg in legs:
        equal(held(leg["symbol"]), position[leg["symbol"]])


def trip_splitorder():
    symbol, action = rng.choice(SYMBOLS), any_action()
    quantity, size = rng.randint(1, 30), rng.randint(3, 12)
    answer = done(client.splitorder(symbol=symbol, action=action, exchange="NSE", quantity=quantity, splitsize=size))
    equal([answer["total_quantity"], answer["split_size"]], [quantity, size])
    sizes = [size] * (quantity // size) + ([quantity % size] if quantity % size else [])
    equal([row["quantity"] for row in answer["results"]], sizes)
    equal([row["order_num"] for row in answer["results"]], list(range(1, len(sizes) + 1)))
    for row in answer["results"]:
        equal(row["status"], "success")
    position[symbol] += signed(action, quantity)
    equal(held(symbol), position[symbol])


def option_request():
    if not options:
        rows = done(client.search(query="NIFTY CE", exchange="NFO"))["data"]
        expiries = {row["expiry"] for row in rows if row["name"] == "NIFTY"}
        options["expiry"] = sorted(expiries, key=lambda text: (text[7:], MONTHS.index(text[3:6]), text[:2]))[-1]
    return {
        "underlying": "NIFTY",
        "exchange": "NSE_INDEX",
        "expiry_date": options["expiry"].replace("-", ""),
    }


MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()


def trip_optionsorder():
    offset = rng.choice(["ATM", "ITM1", "OTM1", "OTM2"])
    side = rng.choice(["CE", "PE"])
    answer = done(
        client.optionsorder(
            **option_request(), strike_int=None, offset=offset, option_type=side, action="BUY", quantity=65, product="NRML"
        )
    )
    is_order_id(answer["orderid"])
    equal([answer["offset"], answer["option_type"], answer["underlying"]], [offset, side, "NIFTY"])
    equal(answer["exchange"], "NFO")
    assert answer["symbol"].startswith("NIFTY") and answer["symbol"].endswith(side), answer
    assert answer["underlying_ltp"] > 0, answer
    data = done(client.orderstatus(order_id=answer["orderid"]))["data"]
    equal([data["symbol"], data["quantity"], data["order_status"]], [answer["symbol"], 65, "complete"])
    sold = client.placeorder(symbol=answer["symbol"], action="SELL", exchange="NFO", product="NRML", quantity=65)
    is_order_id(done(sold)["orderid"])


def trip_optionsmultiorder():
    width = rng.randint(1, 3)
    side = rng.choice(["CE", "PE"])
    legs = [
        {"offset": "ATM", "option_type": side, "action": "SELL", "quantity": 65, "product": "NRML"},
        {"offset": f"OTM{width}", "option_type": side, "action": "BUY", "quantity": 65, "product": "NRML"},
    ]
    answer = done(client.optionsmultiorder(strategy="Python", **option_request(), legs=legs))
    equal([row["leg"] for row in answer["results"]], [1, 2])
    for row, leg in zip(answer["results"], legs):
        equal([row["status"], row["action"], row["offset"]], ["success", leg["action"], leg["offset"]])
        is_order_id(row["orderid"])
    sold, bought = answer["results"]
    assert bought["orderid"] < sold["orderid"], "the purchase that hedges must leave first"
    for row in (sold, bought):
        back = "BUY" if row["action"] == "SELL" else "SELL"
        done(client.placeorder(symbol=row["symbol"], action=back, exchange="NFO", product="NRML", quantity=65))


def trip_modifyorder():
    order_id = rng.choice(list(working)) if working else rest()
    order = working[order_id]
    order["quantity"], order["price"] = rng.randint(1, 20), order["price"] - rng.randint(0, 1)
    done(
        client.modifyorder(
            order_id=order_id,
            symbol=order["symbol"],
            action="BUY",
            exchange="NSE",
            price_type="LIMIT",
            product="MIS",
            quantity=order["quantity"],
            price=order["price"],
        )
    )
    data = done(client.orderstatus(order_id=order_id))["data"]
    equal([data["quantity"], data["price"], data["order_status"]], [order["quantity"], order["price"], "open"])


def trip_cancelorder():
    order_id = rest()
    equal(done(client.cancelorder(order_id=order_id))["orderid"], order_id)
    equal(done(client.orderstatus(order_id=order_id))["data"]["order_status"], "cancelled")
    del working[order_id]
    refused(client.cancelorder(order_id=order_id), "Cannot cancel order in cancelled status")


def trip_cancelallorder():
    for _ in range(rng.randint(0, 2)):
        rest()
    answer = done(client.cancelallorder())
    equal(set(answer["canceled_orders"]), set(working))
    equal(answer["failed_cancellations"], [])
    working.clear()


def trip_closeposition():
    open_symbols = [symbol for symbol in SYMBOLS if position[symbol] != 0]
    answer = done(client.closeposition())
    equal(answer.get("closed_positions", 0), len(open_symbols))
    for symbol in SYMBOLS:
        position[symbol] = 0
    for order_id in [one for one, order in working.items() if order["symbol"] in open_symbols]:
        del working[order_id]


def trip_orderstatus():
    order_id = rest()
    order = working[order_id]
    data = done(client.orderstatus(order_id=order_id))["data"]
    equal(
        [data[name] for name in ("orderid", "symbol", "quantity", "price", "order_status", "pricetype", "product")],
        [order_id, order["symbol"], order["quantity"], order["price"], "open", "LIMIT", "MIS"],
    )
    client.cancelorder(order_id=order_id)
    del working[order_id]


def trip_openposition():
    symbol = rng.choice(SYMBOLS)
    equal(held(symbol), position[symbol])


def trip_funds():
    data = done(client.funds())["data"]
    paise = [round(data[name] * 100) for name in ("availablecash", "utiliseddebits", "total_realized_pnl")]
    equal(paise[0] + paise[1], 10_000_000_00 + paise[2])


def trip_orderbook():
    data = done(client.orderbook())["data"]
    equal({row["orderid"] for row in data["orders"] if row["order_status"] == "open"}, set(working))
    statistics = data["statistics"]
    equal(statistics["total_buy_orders"] + statistics["total_sell_orders"], len(data["orders"]))


def trip_tradebook():
    net = dict.fromkeys(SYMBOLS, 0)
    for row in done(client.tradebook())["data"]:
        if row["symbol"] in net:
            net[row["symbol"]] += signed(row["action"], row["quantity"])
    equal(net, position)


def trip_positionbook():
    answer = done(client.positionbook())
    net = dict.fromkeys(SYMBOLS, 0)
    for row in answer["data"]:
        if row["symbol"] in net:
            net[row["symbol"]] = row["quantity"]
    equal(net, position)
    total = sum(round(row["pnl"] * 100) for row in answer["data"])
    equal(round(answer["total_pnl"] * 100), total)


def trip_holdings():
    equal(done(client.holdings())["data"]["holdings"], [])


def trip_margin():
    symbol, quantity = rng.choice(SYMBOLS), rng.randint(1, 50)
    row = {"symbol": symbol, "exchange": "NSE", "action": "BUY", "product": "MIS", "pricetype": "LIMIT"}
    price = low_price(symbol)
    answer = done(client.margin(positions=[row | {"quantity": quantity, "price": price}]))["data"]
    assert 0 <= answer["total_margin_required"] <= quantity * price / 5 + 0.01, answer


def trip_analyzerstatus():
    equal(done(client.analyzerstatus())["data"]["analyze_mode"], True)


def trip_analyzertoggle():
    equal(done(client.analyzertoggle(mode=True))["data"]["mode"], "analyze")


make_trips(dict(globals()), ROUNDS)
