import type { RefusalCode } from '../../kernel/errors.ts'
import type { Stored } from './candle-files.ts'
import type { Series, StoredSeries } from './candle-store.ts'
import type { CandleColumns } from './columns.ts'
import type { Exported, ExportWanted } from './export-file.ts'
import type { Imported, ImportWanted } from './import-file.ts'

export interface StoreFolders {
  readonly candles: string
  readonly imports: string
  readonly exports: string
}

export interface StoreWorkerData {
  readonly folders: StoreFolders
  readonly memoryMib: number
}

/** What the store's thread does, by name: what it is given and what it answers. */
export interface Calls {
  read: { given: { series: Series; fromAt: number; toAt: number; max: number }; answer: CandleColumns }
  starts: { given: { series: Series; fromAt: number; toAt: number }; answer: Float64Array<ArrayBuffer> }
  put: { given: { series: Series; columns: CandleColumns }; answer: Stored }
  remove: { given: { series: Series }; answer: boolean }
  summaries: { given: { series: readonly Series[] }; answer: readonly StoredSeries[] }
  importFile: { given: ImportWanted; answer: Imported }
  exportFile: { given: ExportWanted; answer: Exported }
}
export type CallName = keyof Calls

export type StoreRequest =
  | { [Name in CallName]: { readonly id: number; readonly name: Name; readonly given: Calls[Name]['given'] } }[CallName]
  | { readonly name: 'close' }

export type StoreReply =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly refusal: { readonly code: RefusalCode; readonly message: string } }
  | { readonly id: number; readonly failure: string }
