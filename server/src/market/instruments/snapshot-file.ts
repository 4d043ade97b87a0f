import { createHash } from 'node:crypto'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { assert } from '../../kernel/assert.ts'
import type { ExchangeDate } from '../../kernel/exchange-time.ts'
import { EXCHANGES, INSTRUMENT_KINDS } from '../instrument.ts'
import { INSTRUMENTS_MAX, type InstrumentColumns } from './columns.ts'
import { Texts } from './texts.ts'

/*
 * The file: magic · length of the header (4 bytes) · header (JSON) · the columns, each beginning at a multiple of 8 ·
 * SHA-256 of everything before it. Columns are in the machine's byte order, which the header names.
 */
const MAGIC = Buffer.from('SAUDAIN1')
const PREFIX_BYTES = MAGIC.length + 4
const DIGEST_BYTES = 32
/** Rows have about 130 bytes. */
export const FILE_BYTES_MAX = INSTRUMENTS_MAX * 512
/** Bytes hashed and written between two breaks for other work. */
const WRITE_BYTES = 1 << 20
const ALIGNMENT = 8

/** What is kept: a day's instruments and where they are from. */
export interface SnapshotContent {
  readonly date: ExchangeDate
  readonly edition: string
  readonly columns: InstrumentColumns
}

export interface KeptSnapshot extends SnapshotContent {
  /** As `versionOf` gives it. */
  readonly version: string
}

const NUMBER_COLUMNS = {
  ids: Float64Array,
  strikes: Float64Array,
  lotSizes: Float64Array,
  tickSizes: Float64Array,
  freezeQuantities: Float64Array,
  multipliers: Float64Array,
  expiryDays: Int32Array,
  names: Uint32Array,
  sourceExchanges: Uint32Array,
  exchanges: Uint8Array,
  kinds: Uint8Array,
} as const
const TEXT_COLUMNS = ['symbols', 'tokens', 'sourceSymbols', 'shared'] as const

/** What the bytes mean; a file that says anything else is of another version, or another machine. */
const FORMAT = {
  version: 1,
  exchanges: EXCHANGES,
  kinds: INSTRUMENT_KINDS,
  isLittleEndian: new Uint8Array(Uint16Array.of(1).buffer)[0] === 1,
}

interface Header {
  readonly format: typeof FORMAT
  readonly date: ExchangeDate
  readonly edition: string
  readonly rows: number
  /** Lengths of the columns in bytes, in order. */
  readonly bytes: readonly number[]
}

const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT

function arraysOf(columns: InstrumentColumns): ArrayBufferView[] {
  const numbers = (Object.keys(NUMBER_COLUMNS) as (keyof typeof NUMBER_COLUMNS)[]).map((name) => columns[name])
  return [...numbers, ...TEXT_COLUMNS.flatMap((name) => [columns[name].ends, columns[name].bytes])]
}

const bytesOf = (array: ArrayBufferView): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength)

/** The file's bytes in pieces, but for the digest at its end. */
function* partsOf({ date, edition, columns }: SnapshotContent): Generator<Uint8Array> {
  const arrays = arraysOf(columns)
  const header: Header = {
    format: FORMAT,
    date,
    edition,
    rows: columns.size,
    bytes: arrays.map(({ byteLength }) => byteLength),
  }
  const text = Buffer.from(JSON.stringify(header))
  const begin = Buffer.alloc(aligned(PREFIX_BYTES + text.length))
  begin.set(MAGIC)
  begin.writeUInt32LE(text.length, MAGIC.length)
  begin.set(text, PREFIX_BYTES)
  yield begin
  for (const array of arrays) {
    const bytes = bytesOf(array)
    for (let from = 0; from < bytes.length; from += WRITE_BYTES) yield bytes.subarray(from, from + WRITE_BYTES)
    const padding = aligned(bytes.length) - bytes.length
    if (padding > 0) yield new Uint8Array(padding)
  }
}

/**
 * Writes the snapshot beside the file and puts it in its place when it is on disk, so that a crash leaves the old file or
 * the new one. Works in pieces: other work goes on. Gives the version.
 */
export async function writeSnapshot(path: string, snapshot: SnapshotContent): Promise<string> {
  const beside = `${path}.tmp`
  let digest: Buffer
  try {
    const file = await open(beside, 'w', 0o600)
    try {
      const hash = createHash('sha256')
      for (const part of partsOf(snapshot)) {
        hash.update(part)
        await writeAll(file, part)
      }
      digest = hash.digest()
      await writeAll(file, digest)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(beside, path)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
  const folder = await open(dirname(path), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
  return versionText(snapshot.date, digest)
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let from = 0; from < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, from)
    from += bytesWritten
  }
}

/** Why a file can't be used. */
export class DamagedSnapshot extends Error {
  override readonly name = 'DamagedSnapshot'
}

/** What was kept; undefined when nothing was. Throws DamagedSnapshot for a file that isn't as it was written. */
export async function readSnapshot(path: string): Promise<KeptSnapshot | undefined> {
  const bytes = await readFile(path)
  if (bytes === undefined) return undefined
  const end = bytes.length - DIGEST_BYTES
  if (end < PREFIX_BYTES || !MAGIC.equals(bytes.subarray(0, MAGIC.length)))
    throw new DamagedSnapshot(`${path} doesn't begin like a file of instruments`)
  const digest = createHash('sha256').update(bytes.subarray(0, end)).digest()
  if (!digest.equals(bytes.subarray(end))) throw new DamagedSnapshot(`the checksum of ${path} is wrong`)
  const headerEnd = PREFIX_BYTES + bytes.readUInt32LE(MAGIC.length)
  const header = JSON.parse(bytes.toString('utf8', PREFIX_BYTES, headerEnd)) as Header // we wrote it: the checksum is right
  if (JSON.stringify(header.format) !== JSON.stringify(FORMAT))
    throw new DamagedSnapshot(`${path} is of another version of Sauda, or of another machine`)
  const { date, edition } = header
  return { date, edition, version: versionText(date, digest), columns: columnsOf(bytes, aligned(headerEnd), header) }
}

/** The whole file in memory of its own, so that columns can be views of it. */
async function readFile(path: string): Promise<Buffer<ArrayBuffer> | undefined> {
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const { size } = await file.stat()
    if (size > FILE_BYTES_MAX) throw new DamagedSnapshot(`${path} has ${size} bytes, more than ${FILE_BYTES_MAX}`)
    const bytes = Buffer.from(new ArrayBuffer(size))
    let length = 0
    while (length < size) {
      const { bytesRead } = await file.read(bytes, length, size - length, length)
      if (bytesRead === 0) throw new DamagedSnapshot(`${path} ends early`)
      length += bytesRead
    }
    return bytes
  } finally {
    await file.close()
  }
}

function columnsOf(file: Buffer<ArrayBuffer>, start: number, header: Header): InstrumentColumns {
  let at = start
  let column = 0
  const next = (): { readonly at: number; readonly bytes: number } => {
    const bytes = header.bytes[column] ?? 0
    const place = { at, bytes }
    at += aligned(bytes)
    column += 1
    return place
  }
  const numbers = Object.fromEntries(
    Object.entries(NUMBER_COLUMNS).map(([name, Kind]) => {
      const { at: from, bytes } = next()
      return [name, new Kind(file.buffer, file.byteOffset + from, bytes / Kind.BYTES_PER_ELEMENT)]
    }),
  ) as unknown as Omit<InstrumentColumns, 'size' | (typeof TEXT_COLUMNS)[number]>
  const texts = Object.fromEntries(
    TEXT_COLUMNS.map((name) => {
      const ends = next()
      const bytes = next()
      const column = new Texts(
        file.subarray(bytes.at, bytes.at + bytes.bytes),
        new Uint32Array(file.buffer, file.byteOffset + ends.at, ends.bytes / Uint32Array.BYTES_PER_ELEMENT),
      )
      return [name, column]
    }),
  ) as Record<(typeof TEXT_COLUMNS)[number], Texts>
  assert(at === file.length - DIGEST_BYTES, 'a file with a right checksum has all its columns')
  return { ...numbers, ...texts, size: header.rows }
}

/** The same for the same instruments of the same day and source, and for no others. */
export function versionOf(snapshot: SnapshotContent): string {
  const hash = createHash('sha256')
  for (const part of partsOf(snapshot)) hash.update(part)
  return versionText(snapshot.date, hash.digest())
}

const versionText = (date: ExchangeDate, digest: Buffer): string => `${date}-${digest.toString('hex', 0, 8)}`
