export {
  aggregate,
  baseOf,
  bucketEnd,
  bucketStart,
  canAggregate,
  intervalSeconds,
  isPeriod,
  reachable,
} from './buckets.ts'
export {
  CANDLE_ORIGINS,
  CandleHistory,
  type CandleOrigin,
  type History,
  type HistoryWanted,
  INTRADAY_DAYS_MAX,
  PERIOD_DAYS_MAX,
} from './candle-history.ts'
