"""Drives the official Python client, as pip installs it, against a running server.

Only host and key are ours. SAUDA_HOST and SAUDA_KEY come from the environment; one line is printed for each check.
"""

import datetime
import json
import os
import re
import sys
import traceback
from zoneinfo import ZoneInfo

import pandas
from openalgo import api

HOST = os.environ["SAUDA_HOST"]
KEY = os.environ["SAUDA_KEY"]
IST = ZoneInfo("Asia/Kolkata")
CAPITAL_PAISE = 10_000_000_00

client = api(api_key=KEY, host=HOST)
stranger = api(api_key="sk_not-a-key", host=HOST)
failed = 0


def check(name):
    """Runs the decorated function at once and prints how it went."""

    def run(function):
        global failed
        try:
            function()
            print(f"ok python: {name}", flush=True)
        except Exception:
            failed += 1
            print(f"FAILED python: {name}\n{traceback.format_exc()}", flush=True)

    return run


def equal(actual, expected):
    assert actual == expected, f"expected {expected!r}, got {actual!r}"


def done(answer):
    assert isinstance(answer, dict), f"expected a dict, got {answer!r}"
    assert answer.get("status") == "success", f"expected success, got {answer!r}"
    return answer


def refused(answer, status, code):
    """What the client makes of a refusal: a dict with the body as text. Returns the message for people."""
    assert isinstance(answer, dict), f"expected the client's error dict, got {answer!r}"
    equal(answer["status"], "error")
    equal(answer["code"], status)
    equal(answer["error_type"], "http_error")
    match = re.fullmatch(rf"HTTP {status}: (.*)", answer["message"], re.DOTALL)
    assert match, f"expected the body in the message, got {answer!r}"
    body = json.loads(match[1])
    equal(body["status"], "error")
    equal(body["code"], code)
    assert re.fullmatch(r"[\w.-]{8,64}", body["request_id"]), body
    assert KEY not in answer["message"]
    return body["message"]


def status_of(order_id):
    return done(client.orderstatus(order_id=order_id, strategy="Python"))["data"]


def has(row, **expected):
    for name, value in expected.items():
        assert row.get(name) == value, f"expected {name} {value!r}, got {row!r}"


def paise(rupees):
    return round(rupees * 100)


def funds_add_up():
    data = done(client.funds())["data"]
    equal(
        paise(data["availablecash"]) + paise(data["utiliseddebits"]),
        CAPITAL_PAISE + paise(data["total_realized_pnl"]),
    )
    return data


today = datetime.datetime.now(IST).date()
ltp = done(client.quotes(symbol="SBIN", exchange="NSE"))["data"]["ltp"]
low_price = round(ltp * 0.9)
high_price = round(ltp * 1.1)
ids = {}


# Market data


@check("quotes")
def _():
    data = done(client.quotes(symbol="SBIN", exchange="NSE"))["data"]
    equal(set(data), {"ask", "bid", "high", "low", "ltp", "oi", "open", "prev_close", "timestamp", "volume"})
    assert 0 < data["low"] <= data["ltp"] <= data["high"], data
    assert 0 < data["bid"] < data["ask"], data
    assert data["volume"] > 0 and data["oi"] == 0, data


@check("quotes of an index, a future, an option and a currency pair")
def _():
    assert done(client.quotes(symbol="NIFTY", exchange="NSE_INDEX"))["data"]["ltp"] > 1000
    for query, exchange in [("NIFTY FUT", "NFO"), ("NIFTY CE", "NFO"), ("USDINR FUT", "CDS")]:
        symbol = done(client.search(query=query, exchange=exchange))["data"][0]["symbol"]
        assert done(client.quotes(symbol=symbol, exchange=exchange))["data"]["ltp"] > 0, symbol


@check("multiquotes keeps the order and tells what has no quote")
def _():
    wanted = [
        {"symbol": "SBIN", "exchange": "NSE"},
        {"symbol": "NOSUCH", "exchange": "NSE"},
        {"symbol": "RELIANCE", "exchange": "BSE"},
    ]
    results = done(client.multiquotes(symbols=wanted))["results"]
    equal([{"symbol": row["symbol"], "exchange": row["exchange"]} for row in results], wanted)
    assert results[0]["data"]["ltp"] > 0 and results[2]["data"]["ltp"] > 0
    assert "NOSUCH" in results[1]["error"] and "data" not in results[1], results[1]


@check("depth")
def _():
    data = done(client.depth(symbol="SBIN", exchange="NSE"))["data"]
    bids = [level["price"] for level in data["bids"]]
    asks = [level["price"] for level in data["asks"]]
    equal([len(bids), len(asks)], [5, 5])
    equal(bids, sorted(bids, reverse=True))
    equal(asks, sorted(asks))
    assert bids[0] < asks[0], data
    assert all(level["quantity"] > 0 for level in data["bids"] + data["asks"]), data
    assert data["totalbuyqty"] > 0 and data["totalsellqty"] > 0, data


COLUMNS = {"close", "high", "low", "oi", "open", "volume"}


def candles(**options):
    frame = client.history(symbol="SBIN", exchange="NSE", **options)
    assert isinstance(frame, pandas.DataFrame), f"expected a DataFrame, got {frame!r}"
    equal(set(frame.columns), COLUMNS)
    assert isinstance(frame.index, pandas.DatetimeIndex)
    assert frame.index.is_monotonic_increasing and frame.index.is_unique
    assert (frame["low"] <= frame[["open", "close"]].min(axis=1)).all()
    assert (frame["high"] >= frame[["open", "close"]].max(axis=1)).all()
    assert (frame["volume"] > 0).all()
    return frame


@check("history of 5 minutes: a DataFrame in Indian time")
def _():
    day = today - datetime.timedelta(days=3)
    frame = candles(interval="5m", start_date=str(day), end_date=str(today))
    equal(str(frame.index.tz), "Asia/Kolkata")
    equal(frame.index[0].date(), day)
    equal(frame.index[-1].date(), today)
    equal(frame.index[0].utcoffset(), datetime.timedelta(hours=5, minutes=30))
    assert all(at.minute % 5 == 0 and at.second == 0 for at in frame.index)
    assert frame.index[-1] <= pandas.Timestamp.now(tz=IST)


@check("history of days: a DataFrame with exchange dates")
def _():
    first = today - datetime.timedelta(days=30)
    frame = candles(interval="D", start_date=str(first), end_date=str(today))
    dates = [at.date() for at in frame.index]
    assert first <= dates[0] and dates[-1] == today, dates
    assert len(dates) >= 20
    assert all((at.hour, at.minute, at.second) == (0, 0, 0) for at in frame.index)


@check("history: a day is the sum of its minutes")
def _():
    day = str(today - datetime.timedelta(days=2))
    minutes = candles(interval="5m", start_date=day, end_date=day)
    days = candles(interval="D", start_date=day, end_date=day)
    equal(len(days), 1)
    whole = days.iloc[0]
    equal(whole["open"], minutes["open"].iloc[0])
    equal(whole["close"], minutes["close"].iloc[-1])
    equal(whole["high"], minutes["high"].max())
    equal(whole["low"], minutes["low"].min())
    equal(whole["volume"], minutes["volume"].sum())


@check("intervals")
def _():
    data = done(client.intervals())["data"]
    equal(set(data), {"days", "hours", "minutes", "months", "quarters", "seconds", "weeks", "years"})
    assert {"1m", "5m", "15m"} <= set(data["minutes"]) and "1h" in data["hours"] and data["days"] == ["D"], data


@check("symbol")
def _():
    data = done(client.symbol(symbol="SBIN", exchange="NSE"))["data"]
    has(data, symbol="SBIN", exchange="NSE", instrumenttype="EQ", lotsize=1, tick_size=0.05, strike=0, expiry="")
    assert "STATE BANK" in data["name"].upper(), data
    assert isinstance(data["token"], str) and isinstance(data["id"], int), data


@check("search")
def _():
    found = done(client.search(query="NIFTY 26000 CE", exchange="NFO"))
    has(found["data"][0], exchange="NFO", instrumenttype="CE", strike=26000, name="NIFTY", lotsize=65)
    for row in found["data"]:
        assert row["exchange"] == "NFO" and re.fullmatch(r"\d{2}-[A-Z]{3}-\d{2}", row["expiry"]), row
        text = " ".join([row["symbol"], row["brsymbol"], row["name"], row["token"]])
        assert "NIFTY" in text and "CE" in text and ("26000" in text or row["strike"] == 26000), row
    equal(found["message"], f"Found {len(found['data'])} matching symbols")
    equal(done(client.search(query="zzzzqqqq"))["data"], [])


@check("market data refuses an unknown symbol and a wrong key")
def _():
    unknown = {"symbol": "NOSUCH", "exchange": "NSE"}
    span = {"interval": "D", "start_date": str(today), "end_date": str(today)}
    for answer in [client.quotes(**unknown), client.depth(**unknown), client.history(**unknown, **span)]:
        assert "NOSUCH" in refused(answer, 400, "symbol_not_found")
    assert "NOSUCH" in refused(client.symbol(**unknown), 404, "symbol_not_found")
    assert "NSEE" in refused(client.quotes(symbol="SBIN", exchange="NSEE"), 400, "validation_failed")
    sbin = {"symbol": "SBIN", "exchange": "NSE"}
    for answer in [
        stranger.quotes(**sbin),
        stranger.depth(**sbin),
        stranger.history(**sbin, **span),
        stranger.symbol(**sbin),
        stranger.search(query="SBIN"),
        stranger.intervals(),
        stranger.multiquotes(symbols=[sbin]),
    ]:
        equal(refused(answer, 403, "api_key_invalid"), "Invalid openalgo apikey")


# Orders


@check("placeorder: MARKET fills at once")
def _():
    placed = done(
        client.placeorder(
            strategy="desk", symbol="SBIN", action="BUY", exchange="NSE", price_type="MARKET", product="MIS", quantity=10
        )
    )
    equal(placed["mode"], "analyze")
    assert re.fullmatch(r"\d{14}", placed["orderid"]), placed
    ids["market"] = placed["orderid"]
    data = status_of(placed["orderid"])
    has(data, order_status="complete", quantity=10, filled_quantity=10, pending_quantity=0, action="BUY", strategy="desk")
    has(data, symbol="SBIN", exchange="NSE", product="MIS", pricetype="MARKET", price_type="MARKET", rejection_reason="")
    quote = done(client.quotes(symbol="SBIN", exchange="NSE"))["data"]
    assert quote["low"] * 0.99 <= data["average_price"] <= quote["high"] * 1.01, data


@check("placeorder: fields that the client's manual names are accepted with a warning")
def _():
    placed = done(
        client.placeorder(symbol="SBIN", action="BUY", exchange="NSE", quantity="2", target="900", stoploss=700)
    )
    equal(sorted(warning["field"] for warning in placed["warnings"]), ["stoploss", "target"])
    has(status_of(placed["orderid"]), order_status="complete", filled_quantity=2, strategy="Python")


@check("placeorder: LIMIT rests")
def _():
    placed = done(
        client.placeorder(
            symbol="SBIN", action="BUY", exchange="NSE", price_type="LIMIT", product="MIS", quantity=5, price=low_price
        )
    )
    ids["limit"] = placed["orderid"]
    has(status_of(ids["limit"]), order_status="open", price=low_price, filled_quantity=0, pending_quantity=5)
    funds_add_up()


@check("placeorder: SL waits for its trigger")
def _():
    placed = done(
        client.placeorder(
            symbol="SBIN",
            action="BUY",
            exchange="NSE",
            price_type="SL",
            product="MIS",
            quantity=1,
            price=high_price,
            trigger_price=high_price,
            disclosed_quantity=0,
        )
    )
    ids["stop"] = placed["orderid"]
    has(status_of(ids["stop"]), order_status="trigger pending", trigger_price=high_price)


@check("modifyorder")
def _():
    before = funds_add_up()
    changed = done(
        client.modifyorder(
            order_id=ids["limit"],
            strategy="desk",
            symbol="SBIN",
            action="BUY",
            exchange="NSE",
            price_type="LIMIT",
            product="MIS",
            quantity=10,
            price=low_price + 1,
        )
    )
    has(changed, orderid=ids["limit"], mode="analyze", message="Order modified successfully")
    has(status_of(ids["limit"]), order_status="open", quantity=10, price=low_price + 1, pending_quantity=10)
    # Five times leverage: what is blocked grows with the order.
    more = paise((low_price + 1) * 10 / 5) - paise(low_price * 5 / 5)
    equal(paise(funds_add_up()["utiliseddebits"]) - paise(before["utiliseddebits"]), more)


@check("orderbook")
def _():
    answer = done(client.orderbook())
    equal(answer["mode"], "analyze")
    orders = answer["data"]["orders"]
    equal(orders, sorted(orders, key=lambda order: order["orderid"], reverse=True))
    by_id = {order["orderid"]: order["order_status"] for order in orders}
    has(by_id, **{ids["market"]: "complete", ids["limit"]: "open", ids["stop"]: "trigger pending"})
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", order["timestamp"]) for order in orders)
    has(
        answer["data"]["statistics"],
        total_buy_orders=4,
        total_sell_orders=0,
        total_completed_orders=2,
        total_open_orders=1,
        total_rejected_orders=0,
        total_trigger_pending_orders=1,
    )


@check("tradebook")
def _():
    trades = [trade for trade in done(client.tradebook())["data"] if trade["orderid"] == ids["market"]]
    equal(sum(trade["quantity"] for trade in trades), 10)
    for trade in trades:
        has(trade, symbol="SBIN", exchange="NSE", action="BUY", product="MIS", average_price=trade["price"])
        equal(paise(trade["trade_value"]), paise(trade["price"] * trade["quantity"]))


@check("positionbook")
def _():
    answer = done(client.positionbook())
    [row] = answer["data"]
    has(row, symbol="SBIN", exchange="NSE", product="MIS", quantity=12, lot_size=1)
    assert row["average_price"] > 0 and row["ltp"] > 0, row
    equal(paise(row["pnl"]), paise(row["unrealized_pnl"] + row["today_realized_pnl"]))
    assert abs(row["unrealized_pnl"] - (row["ltp"] - row["average_price"]) * 12) < 0.02, row
    equal(paise(answer["total_pnl"]), paise(row["pnl"]))


@check("openposition")
def _():
    equal(done(client.openposition(symbol="SBIN", exchange="NSE", product="MIS"))["quantity"], 12)
    equal(done(client.openposition(symbol="SBIN", exchange="NSE", product="CNC"))["quantity"], 0)


@check("holdings")
def _():
    data = done(client.holdings())["data"]
    equal(data["holdings"], [])
    has(data["statistics"], totalholdingvalue=0, totalinvvalue=0, totalpnlpercentage=0, totalprofitandloss=0)


@check("funds")
def _():
    data = funds_add_up()
    assert {"availablecash", "collateral", "m2mrealized", "m2munrealized", "utiliseddebits"} <= set(data), data
    assert 0 < data["utiliseddebits"] < 100_000, data
    has(data, collateral=0, reset_count=0, total_realized_pnl=0)


@check("cancelorder")
def _():
    cancelled = done(client.cancelorder(order_id=ids["limit"], strategy="desk"))
    has(cancelled, orderid=ids["limit"], message="Order cancelled successfully", mode="analyze")
    has(status_of(ids["limit"]), order_status="cancelled", filled_quantity=0, pending_quantity=0)
    message = refused(client.cancelorder(order_id=ids["limit"]), 400, "order_not_open")
    equal(message, "Cannot cancel order in cancelled status")


@check("cancelallorder, stops included")
def _():
    resting = done(
        client.placeorder(
            symbol="TCS", action="SELL", exchange="NSE", price_type="LIMIT", product="MIS", quantity=1, price=100_000
        )
    )["orderid"]
    answer = done(client.cancelallorder(strategy="desk"))
    equal(set(answer["canceled_orders"]), {resting, ids["stop"]})
    equal(answer["failed_cancellations"], [])
    equal(answer["message"], "Canceled 2 orders. Failed to cancel 0 orders.")
    answer = done(client.cancelallorder())
    has(answer, canceled_orders=[], message="No open orders to cancel")


@check("closeposition")
def _():
    answer = done(client.closeposition(strategy="desk"))
    has(answer, closed_positions=1, failed_closures=0, message="Closed 1 positions", mode="analyze")
    equal(done(client.openposition(symbol="SBIN", exchange="NSE", product="MIS"))["quantity"], 0)
    has(done(client.closeposition()), closed_positions=0, message="Closed 0 positions")
    data = funds_add_up()
    equal(data["utiliseddebits"], 0)
    equal(paise(data["total_realized_pnl"]), paise(done(client.positionbook())["total_pnl"]))


@check("an order for an unknown symbol is refused")
def _():
    message = refused(client.placeorder(symbol="SBINN", action="BUY", exchange="NSE", quantity=1), 400, "symbol_not_found")
    assert "SBINN" in message and "SBIN" in message, message


@check("an order off the tick is refused and stands in the book with its reason")
def _():
    order = {"symbol": "SBIN", "action": "BUY", "exchange": "NSE", "price_type": "LIMIT", "quantity": 1}
    message = refused(client.placeorder(**order, price=low_price + 0.01), 400, "order_rejected")
    assert str(low_price + 0.01) in message and "0.05" in message, message
    row = done(client.orderbook())["data"]["orders"][0]
    has(row, order_status="rejected", rejection_reason=message)


@check("orders that lack a price, a quantity or a known word are refused")
def _():
    order = {"symbol": "SBIN", "action": "BUY", "exchange": "NSE"}
    assert "price" in refused(client.placeorder(**order, price_type="LIMIT", quantity=1), 400, "validation_failed")
    assert "-5" in refused(client.placeorder(**order, quantity=-5), 400, "validation_failed")
    assert "SL-M" in refused(client.placeorder(**order, price_type="SLM", quantity=1), 400, "validation_failed")


@check("an unknown order is named")
def _():
    for answer in [client.orderstatus(order_id="20010100000001"), client.cancelorder(order_id="20010100000001")]:
        equal(refused(answer, 404, "order_not_found"), "Order 20010100000001 not found")


@check("a wrong key does nothing with orders and books")
def _():
    for answer in [
        stranger.placeorder(symbol="SBIN", action="BUY", exchange="NSE", quantity=1),
        stranger.cancelallorder(),
        stranger.closeposition(),
        stranger.orderbook(),
        stranger.tradebook(),
        stranger.positionbook(),
        stranger.holdings(),
        stranger.funds(),
        stranger.analyzerstatus(),
    ]:
        equal(refused(answer, 403, "api_key_invalid"), "Invalid openalgo apikey")


# Analyzer


@check("analyzerstatus")
def _():
    data = done(client.analyzerstatus())["data"]
    has(data, analyze_mode=True, mode="analyze")
    assert data["total_logs"] > 0, data


@check("analyzertoggle to paper")
def _():
    data = done(client.analyzertoggle(mode=True))["data"]
    has(data, analyze_mode=True, mode="analyze", message="Analyzer mode switched to analyze")


@check("analyzertoggle to live is refused without a live broker")
def _():
    assert "live" in refused(client.analyzertoggle(mode=False), 409, "no_live_venue")
    has(done(client.analyzerstatus())["data"], analyze_mode=True)


sys.exit(1 if failed else 0)
