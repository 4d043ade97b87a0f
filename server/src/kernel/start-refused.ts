/**
 * Sauda can't start as it is set up: a wrong setting, a folder in use, a database of a newer version. The message says
 * what to do; whoever starts the process prints it without a stack trace and exits with 1.
 */
export class StartRefused extends Error {
  override readonly name = 'StartRefused'
}
