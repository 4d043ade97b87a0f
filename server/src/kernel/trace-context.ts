const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/

/** A caller's place in a distributed trace (W3C Trace Context). */
export interface TraceContext {
  /** 32 hex digits. */
  readonly traceId: string
  /** 16 hex digits: the caller's own step. */
  readonly parentId: string
  readonly isSampled: boolean
}

/** Reads the header `traceparent`; undefined when it isn't one. */
export function parseTraceparent(header: string): TraceContext | undefined {
  const [, version, traceId = '', parentId = '', flags = ''] = TRACEPARENT.exec(header) ?? []
  if (version === undefined || version === 'ff' || (version === '00' && header.length !== 55)) return undefined
  if (/^0+$/.test(traceId) || /^0+$/.test(parentId)) return undefined
  return { traceId, parentId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 }
}
