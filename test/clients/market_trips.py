"""Randomised round trips of every market-data method of the official Python client, in mixed order.

Answers are compared with each other: quotes with candles, chains with quotes, greeks with chains, frames with rows.
SAUDA_HOST, SAUDA_KEY and SAUDA_SEED come from the environment; one line is printed for each method.
"""

import datetime
import re
from zoneinfo import ZoneInfo

import numpy
import pandas
from trips import client, done, equal, make_trips, refused, rng

ROUNDS = 12
IST = ZoneInfo("Asia/Kolkata")
STOCKS = ["SBIN", "RELIANCE", "TCS", "INFY", "ITC", "M&M", "BAJAJ-AUTO"]
UNDERLYINGS = {"NIFTY": ("NSE_INDEX", "NFO"), "BANKNIFTY": ("NSE_INDEX", "NFO"), "SENSEX": ("BSE_INDEX", "BFO")}
MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()

today = datetime.datetime.now(IST).date()


def has_types(row, **types):
    for name, kind in types.items():
        accepted = (int, float) if kind is float else (kind,)
        assert type(row[name]) in accepted, f"{name} is {row[name]!r} of {row!r}, not {kind}"


QUOTE_TYPES = dict.fromkeys(["ask", "bid", "high", "low", "ltp", "open", "prev_close"], float) | {"volume": int, "oi": int}


def is_quote(data):
    has_types(data, **QUOTE_TYPES)
    assert 0 < data["low"] <= data["ltp"] <= data["high"] and data["low"] <= data["open"] <= data["high"], data
    assert data["bid"] < data["ask"], data


def any_stock():
    return rng.choice(STOCKS)


def expiries_of(name, kind="options"):
    _, contracts = UNDERLYINGS[name]
    return done(client.expiry(symbol=name, exchange=contracts, instrumenttype=kind))["data"]


def any_series():
    """An underlying, where it trades, and one of its next expiries as requests carry it."""
    name = rng.choice(list(UNDERLYINGS))
    expiry = rng.choice(expiries_of(name)[:3])
    return {"underlying": name, "exchange": UNDERLYINGS[name][0], "expiry_date": expiry.replace("-", "")}


def trip_quotes():
    is_quote(done(client.quotes(symbol=any_stock(), exchange="NSE"))["data"])


def trip_multiquotes():
    wanted = [{"symbol": any_stock(), "exchange": rng.choice(["NSE", "BSE"])} for _ in range(rng.randint(1, 12))]
    wanted.insert(rng.randint(0, len(wanted)), {"symbol": "NOSUCH", "exchange": "NSE"})
    results = done(client.multiquotes(symbols=wanted))["results"]
    equal([{"symbol": row["symbol"], "exchange": row["exchange"]} for row in results], wanted)
    for row in results:
        if row["symbol"] == "NOSUCH":
            assert "NOSUCH" in row["error"] and "data" not in row, row
        else:
            is_quote(row["data"])


def trip_depth():
    data = done(client.depth(symbol=any_stock(), exchange="NSE"))["data"]
    bids, asks = ([level["price"] for level in data[side]] for side in ("bids", "asks"))
    equal([len(bids), len(asks)], [5, 5])
    equal([bids, asks], [sorted(bids, reverse=True), sorted(asks)])
    assert bids[0] < asks[0], data
    has_types(data, ltp=float, ltq=int, volume=int, oi=int, totalbuyqty=int, totalsellqty=int)
    for level in data["bids"] + data["asks"]:
        has_types(level, price=float, quantity=int)


COLUMNS = ["close", "high", "low", "oi", "open", "volume"]
DAYS_OF = {"D": 200, "W": 700, "M": 900, "Q": 1200, "Y": 2500, "1h": 30, "2h": 30, "3h": 30, "4h": 30}


def frame_of(symbol, interval, first, last, **options):
    span = {"start_date": str(first), "end_date": str(last)}
    frame = client.history(symbol=symbol, exchange="NSE", interval=interval, **span, **options)
    assert isinstance(frame, pandas.DataFrame), f"expected a DataFrame, got {frame!r}"
    equal(list(frame.columns), COLUMNS)
    for name in ("open", "high", "low", "close"):
        equal(frame[name].dtype, numpy.dtype("float64"))
    for name in ("oi", "volume"):
        equal(frame[name].dtype, numpy.dtype("int64"))
    assert isinstance(frame.index, pandas.DatetimeIndex) and frame.index.name == "timestamp", frame.index
    assert frame.index.is_monotonic_increasing and frame.index.is_unique, frame.index
    assert frame.notna().all().all()
    assert (frame["low"] <= frame[["open", "close"]].min(axis=1)).all()
    assert (frame["high"] >= frame[["open", "close"]].max(axis=1)).all()
    if interval in ("D", "W", "M"):
        assert frame.index.tz is None, frame.index
    else:
        equal(str(frame.index.tz), "Asia/Kolkata")
    dates = [at.date() for at in frame.index]
    assert first <= dates[0] and dates[-1] <= last, dates
    return frame


def trip_history():
    interval = rng.choice([one for group in done(client.intervals())["data"].values() for one in group])
    days = DAYS_OF.get(interval, 0 if interval.endswith("s") else 4)
    symbol, last = any_stock(), today - datetime.timedelta(days=rng.randint(1, 60))
    first = last - datetime.timedelta(days=days)
    whole = frame_of(symbol, interval, first, last, source=rng.choice(["api", "merged"]))
    # Ranges that meet give what the whole gives
    middle = first + datetime.timedelta(days=days // 2)
    parts = []
    for part in [(first, middle), (middle + datetime.timedelta(days=1), last)]:
        if any(part[0] <= at.date() <= part[1] for at in whole.index):
            parts.append(frame_of(symbol, interval, *part))
    joined = pandas.concat(parts)
    if interval in ("W", "M", "Q", "Y"):
        # The last one may be running, and have gone on between two requests
        joined, whole = joined.iloc[:-1], whole.iloc[:-1]
    pandas.testing.assert_frame_equal(joined, whole)


def trip_history_aggregates():
    interval = rng.choice(["2m", "3m", "5m", "10m", "15m", "20m", "30m", "1h", "2h", "3h", "4h", "D"])
    symbol, day = any_stock(), today - datetime.timedelta(days=rng.randint(1, 30))
    minutes, longer = frame_of(symbol, "1m", day, day), frame_of(symbol, interval, day, day)
    if interval == "D":
        groups = [minutes]
    else:
        seconds = int(interval[:-1]) * {"m": 60, "h": 3600}[interval[-1]]
        since = (minutes.index - minutes.index[0]).total_seconds() // seconds
        groups = [group for _, group in minutes.groupby(since)]
        equal(list(longer.index), [group.index[0] for group in groups])
    for (_, row), group in zip(longer.iterrows(), groups, strict=True):
        equal([row["open"], row["close"]], [group["open"].iloc[0], group["close"].iloc[-1]])
        equal([row["high"], row["low"]], [group["high"].max(), group["low"].min()])
        equal([row["volume"], row["oi"]], [group["volume"].sum(), group["oi"].iloc[-1]])


def trip_intervals():
    data = done(client.intervals())["data"]
    equal(data, done(client.interval())["data"])
    for name, numbers in data.items():
        lengths = [int(one[:-1] or 1) for one in numbers]
        equal([name, lengths], [name, sorted(lengths)])
    refused(client.history(symbol="SBIN", exchange="NSE", interval="7m", start_date=str(today), end_date=str(today)), "7m")


def trip_symbol():
    name = any_stock()
    data = done(client.symbol(symbol=name.lower(), exchange="NSE"))["data"]
    equal([data["symbol"], data["exchange"], data["instrumenttype"], data["expiry"]], [name, "NSE", "EQ", ""])
    has_types(data, id=int, lotsize=int, freeze_qty=int, strike=float, tick_size=float, token=str, name=str)
    refused(client.symbol(symbol=name + "X", exchange="NSE"), "not found")


def trip_search():
    name = rng.choice(list(UNDERLYINGS))
    side, exchange = rng.choice(["CE", "PE"]), UNDERLYINGS[name][1]
    answer = done(client.search(query=f"{name} {side}", exchange=exchange))
    equal(answer["message"], f"Found {len(answer['data'])} matching symbols")
    assert answer["data"], answer
    for row in answer["data"]:
        equal([row["exchange"], row["instrumenttype"]], [exchange, side])
        assert re.fullmatch(r"\d{2}-[A-Z]{3}-\d{2}", row["expiry"]), row
        assert row["symbol"].startswith(name) and row["symbol"].endswith(side), row


def trip_expiry():
    name, kind = rng.choice(list(UNDERLYINGS)), rng.choice(["options", "futures"])
    labels = expiries_of(name, kind)
    days = [datetime.date(2000 + int(one[7:]), MONTHS.index(one[3:6]) + 1, int(one[:2])) for one in labels]
    equal(days, sorted(set(days)))
    assert days[0] >= today, days


def trip_instruments():
    exchange = rng.choice(["NSE", "BSE", "CDS", "NSE_INDEX", "BFO"])
    frame = client.instruments(exchange=exchange)
    assert isinstance(frame, pandas.DataFrame), f"expected a DataFrame, got {frame!r}"
    assert len(frame) > 0 and (frame["exchange"] == exchange).all() and frame["symbol"].is_unique, frame
    wanted = {"symbol", "brsymbol", "name", "exchange", "brexchange", "token", "expiry", "strike", "lotsize"}
    assert wanted | {"instrumenttype", "tick_size"} <= set(frame.columns), frame.columns
    equal(frame["lotsize"].dtype, numpy.dtype("int64"))
    assert frame["strike"].dtype.kind in "if" and frame["tick_size"].dtype.kind in "if", frame.dtypes
    row = frame.sample(1, random_state=rng.randint(0, 1_000_000)).iloc[0]
    found = done(client.symbol(symbol=row["symbol"], exchange=exchange))["data"]
    for name in ("token", "name", "lotsize", "strike", "tick_size", "expiry", "instrumenttype"):
        equal(found[name], row[name])


def trip_syntheticfuture():
    series = any_series()
    answer = done(client.syntheticfuture(**series))
    equal([answer["underlying"], answer["expiry"]], [series["underlying"], series["expiry_date"]])
    has_types(answer, synthetic_future_price=float, underlying_ltp=float, atm_strike=float)
    assert abs(answer["synthetic_future_price"] / answer["underlying_ltp"] - 1) < 0.05, answer


def trip_optionsymbol():
    series, side = any_series(), rng.choice(["CE", "PE"])
    strikes = []
    for offset in ["ATM", f"OTM{rng.randint(1, 5)}", f"ITM{rng.randint(1, 5)}"]:
        answer = done(client.optionsymbol(**series, offset=offset, option_type=side))
        equal(answer["exchange"], UNDERLYINGS[series["underlying"]][1])
        has_types(answer, symbol=str, lotsize=int, freeze_qty=int, tick_size=float, underlying_ltp=float)
        data = done(client.symbol(symbol=answer["symbol"], exchange=answer["exchange"]))["data"]
        equal([data["instrumenttype"], data["lotsize"]], [side, answer["lotsize"]])
        strikes.append(data["strike"])
    at_the_money, outside, inside = strikes
    assert (inside < at_the_money < outside) == (side == "CE"), strikes


def chain_of(series, count, **options):
    answer = done(client.optionchain(**series, strike_count=count, **options))
    equal([answer["underlying"], answer["expiry_date"]], [series["underlying"], series["expiry_date"]])
    has_types(answer, underlying_ltp=float, atm_strike=float)
    return answer


def trip_optionchain():
    series, count = any_series(), rng.randint(1, 8)
    answer = chain_of(series, count)
    rows = answer["chain"]
    strikes = [row["strike"] for row in rows]
    equal([len(strikes), strikes], [2 * count + 1, sorted(strikes)])
    equal(strikes[count], answer["atm_strike"])
    equal([row["ce"]["label"] for row in rows[count - 1 : count + 2]], ["ITM1", "ATM", "OTM1"])
    equal([row["pe"]["label"] for row in rows[count - 1 : count + 2]], ["OTM1", "ATM", "ITM1"])
    for row in rows:
        for side in ("ce", "pe"):
            has_types(row[side], symbol=str, ltp=float, bid=float, ask=float, volume=int, oi=int, lotsize=int)
            assert row[side]["symbol"].endswith(side.upper()), row
    for side, dearer in (("ce", 0), ("pe", -1)):
        prices = [row[side]["ltp"] for row in rows]
        equal(max(prices), prices[dearer])


def trip_optiongreeks():
    series, side = any_series(), rng.choice(["CE", "PE"])
    option = done(client.optionsymbol(**series, offset=rng.choice(["ATM", "OTM1", "ITM1"]), option_type=side))
    answer = done(client.optiongreeks(symbol=option["symbol"], exchange=option["exchange"], interest_rate=0))
    equal([answer["symbol"], answer["option_type"]], [option["symbol"], side])
    has_types(answer, spot_price=float, option_price=float, implied_volatility=float, days_to_expiry=float, strike=float)
    greeks = answer["greeks"]
    has_types(greeks, delta=float, gamma=float, theta=float, vega=float, rho=float)
    delta = greeks["delta"] if side == "CE" else -greeks["delta"]
    if "bound" in answer:
        # In its last minutes an option's price, in whole ticks, may be one that no volatility explains
        assert answer["days_to_expiry"] < 0.1 and delta in (0, 1) and greeks["vega"] == 0, answer
        equal([answer["implied_volatility"], answer["status"]], [0, "success"])
        return
    assert 0 < delta < 1 and greeks["gamma"] > 0 and greeks["vega"] > 0 and greeks["theta"] < 0, answer
    assert 1 < answer["implied_volatility"] < 100, answer


def trip_holidays():
    year = rng.choice([2024, 2025, 2026])
    rows = done(client.holidays(year=year))["data"]
    assert len(rows) > 10, rows
    equal([row["date"] for row in rows], sorted(row["date"] for row in rows))
    for row in rows:
        assert row["date"].startswith(f"{year}-"), row
        has_types(row, description=str, holiday_type=str, closed_exchanges=list, open_exchanges=list)
        for window in row["open_exchanges"]:
            has_types(window, exchange=str, start_time=int, end_time=int)
            assert 0 < window["end_time"] - window["start_time"] <= 86_400_000, row


def trip_timings():
    day = datetime.date(2026, 1, 1) + datetime.timedelta(days=rng.randint(0, 330))
    rows = {row["exchange"]: row for row in done(client.timings(date=str(day)))["data"]}
    if day.weekday() < 5 and "NSE" in rows and "BSE" in rows:
        opens = datetime.datetime.fromtimestamp(rows["NSE"]["start_time"] / 1000, IST)
        equal(opens.date(), day)
        equal(rows["BSE"]["start_time"], rows["NSE"]["start_time"])
    for row in rows.values():
        has_types(row, exchange=str, start_time=int, end_time=int)
        assert row["start_time"] < row["end_time"], row
    done(client.timings())


make_trips(dict(globals()), ROUNDS)
