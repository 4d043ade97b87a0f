export { type CallOptions, type Client, type ClientOptions, createClient, TIMEOUT_MS } from './client.ts'
export { ApiError, type ErrorCode, type FieldError } from './error.ts'
export type { InputOf, OperationName, OutputOf, Warning } from './operations.ts'
