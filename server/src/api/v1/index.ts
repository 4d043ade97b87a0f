import { funds, holdings, openposition, pnlsymbols, positionbook } from './account.ts'
import { accounts, accountscreate, accountsordermode } from './accounts.ts'
import { analyzer, analyzertoggle } from './analyzer.ts'
import { approvals, approvalsapprove, approvalsapproveall, approvalsreject } from './approvals.ts'
import { audit, auditverify } from './audit.ts'
import {
  authconfirm,
  authlogin,
  authlogintotp,
  authlogout,
  authpassword,
  authpasswordforgot,
  authpasswordreset,
  authpasswordresetcheck,
  authsetup,
  authsetupcheck,
  authstatus,
} from './auth.ts'
import { authsessions, authsessionsrevoke, authsessionsrevokeothers } from './auth-sessions.ts'
import { authrecoverycodes, authtotpconfirm, authtotpdisable, authtotpenrol } from './auth-totp.ts'
import { bans, banscreate, banslift } from './bans.ts'
import { basketorder } from './basket-order.ts'
import { orderbook, tradebook } from './books.ts'
import { marketholidays, marketstatus, markettimings } from './calendar.ts'
import { marketoverrides, marketoverridesremove, marketoverridesset } from './calendar-overrides.ts'
import { charges } from './charges.ts'
import { chart, chartdelete, chartset } from './chart.ts'
import { cancelgttorder, gttorderbook, modifygttorder, placegttorder } from './gtt.ts'
import { health } from './health.ts'
import { history, intervals } from './history.ts'
import { historyexport, historyimport } from './history-files.ts'
import {
  historyjobs,
  historyjobscancel,
  historyjobspause,
  historyjobsresume,
  historyjobsstart,
} from './history-jobs.ts'
import { historycoverage, historydelete } from './history-store.ts'
import { instruments, instrumentsloads, instrumentsreload } from './instruments.ts'
import { keys, keyscreate, keysrevoke, keysrotate } from './keys.ts'
import { killswitch, killswitchrelease } from './killswitch.ts'
import { latency, latencyorders } from './latency.ts'
import { logsorders, logsordersexport } from './logs.ts'
import { margin } from './margin.ts'
import { depth, multiquotes, quotes } from './market.ts'
import { optionchain } from './option-chain.ts'
import { multioptiongreeks, optiongreeks } from './option-greeks.ts'
import { expiry, optionsymbol } from './options.ts'
import { optionsmultiorder, optionsorder } from './options-orders.ts'
import { orderevents, ordereventsstream } from './order-events.ts'
import { orderstory } from './order-story.ts'
import { cancelallorder, cancelorder, closeposition, modifyorder, orderstatus, placeorder } from './orders.ts'
import { ping } from './ping.ts'
import { risk, riskset } from './risk.ts'
import { placesmartorder } from './smart-order.ts'
import { splitorder } from './split-order.ts'
import { strategybook } from './strategybook.ts'
import { search, symbol } from './symbols.ts'
import { syntheticfuture } from './synthetic-future.ts'
import { tickersymbol } from './ticker.ts'
import { traffic, trafficexport, trafficstats } from './traffic.ts'
import { users, userscreate, usersupdate } from './users.ts'

/** Every operation of the API. Routes, documents and the typed client follow this list. */
export const operations = [
  placeorder,
  placesmartorder,
  basketorder,
  splitorder,
  optionsorder,
  optionsmultiorder,
  modifyorder,
  cancelorder,
  cancelallorder,
  closeposition,
  orderstatus,
  placegttorder,
  modifygttorder,
  cancelgttorder,
  gttorderbook,
  orderbook,
  tradebook,
  positionbook,
  openposition,
  holdings,
  funds,
  margin,
  charges,
  pnlsymbols,
  strategybook,
  orderevents,
  ordereventsstream,
  orderstory,
  risk,
  riskset,
  killswitch,
  killswitchrelease,
  quotes,
  multiquotes,
  depth,
  history,
  intervals,
  historycoverage,
  historyjobs,
  historyjobsstart,
  historyjobspause,
  historyjobsresume,
  historyjobscancel,
  historyimport,
  historyexport,
  historydelete,
  tickersymbol,
  symbol,
  search,
  instruments,
  instrumentsloads,
  instrumentsreload,
  marketholidays,
  markettimings,
  marketstatus,
  marketoverrides,
  marketoverridesset,
  marketoverridesremove,
  expiry,
  optionsymbol,
  optionchain,
  syntheticfuture,
  optiongreeks,
  multioptiongreeks,
  analyzer,
  analyzertoggle,
  ping,
  chart,
  chartset,
  chartdelete,
  approvals,
  approvalsapprove,
  approvalsreject,
  approvalsapproveall,
  authstatus,
  authsetup,
  authsetupcheck,
  authlogin,
  authlogintotp,
  authlogout,
  authconfirm,
  authpassword,
  authpasswordforgot,
  authpasswordreset,
  authpasswordresetcheck,
  authtotpenrol,
  authtotpconfirm,
  authtotpdisable,
  authrecoverycodes,
  authsessions,
  authsessionsrevoke,
  authsessionsrevokeothers,
  keys,
  keyscreate,
  keysrotate,
  keysrevoke,
  accounts,
  accountscreate,
  accountsordermode,
  users,
  userscreate,
  usersupdate,
  traffic,
  trafficstats,
  trafficexport,
  logsorders,
  logsordersexport,
  latency,
  latencyorders,
  health,
  audit,
  auditverify,
  bans,
  banscreate,
  banslift,
] as const

export type { WireCode } from '../errors.ts'
export type Operations = typeof operations
