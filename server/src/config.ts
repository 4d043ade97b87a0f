import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import type { Setting } from './config/setting.ts'
import { SETTINGS } from './config/settings.ts'
import { nearestNames } from './kernel/nearest.ts'
import { Networks } from './kernel/networks.ts'
import { StartRefused } from './kernel/start-refused.ts'

const PREFIX = 'SAUDA_'

type Settings = typeof SETTINGS

/**
 * Leverages are in hundredths (500 is 5x), times of day in minutes since 00:00 in the exchange's zone, `dataDir` is
 * absolute.
 */
export type Config = { readonly [K in keyof Settings]: NonNullable<ReturnType<Settings[K]['read']>> }

/**
 * Reads the settings. An empty value counts as not set. Throws StartRefused naming every setting that is wrong, its
 * value, and what is allowed.
 */
export function loadConfig(environment: Readonly<Record<string, string | undefined>>, directory: string): Config {
  const fromFile = readEnvFile(join(directory, '.env'))
  const given = { ...fromFile, ...withoutEmpty(environment) }
  const problems: string[] = []
  const values: Record<string, unknown> = {}
  for (const [key, setting] of Object.entries(SETTINGS) as [string, Setting<unknown>][]) {
    const text = given[setting.name]?.trim() || setting.default
    const value = setting.read(text)
    if (value === undefined) {
      const shown = setting.isSecret === true ? 'not allowed' : `"${text}"`
      problems.push(`${setting.name} is ${shown}: it must be ${setting.allowed}.`)
    }
    values[key] = value
  }
  const config = values as Config // every setting was read
  problems.push(...unknownSettings(fromFile, environment))
  if (problems.length === 0) problems.push(...contradictions(config))
  if (problems.length > 0) throw new StartRefused(problems.join('\n'))
  return Object.freeze({ ...config, dataDir: resolve(directory, config.dataDir) })
}

/** Settings that aren't as they are by default, by name, for the audit log; a secret one is told to be set, no more. */
export function changedSettings(config: Config): Readonly<Record<string, string>> {
  const entries = Object.entries(SETTINGS) as [keyof Config, Setting<unknown>][]
  return Object.fromEntries(
    entries.flatMap(([key, setting]) => {
      const value = shownValue(config[key])
      if (value === shownValue(setting.read(setting.default)) || key === 'dataDir') return []
      return [[setting.name, setting.isSecret === true ? 'set' : value]]
    }),
  )
}

const shownValue = (value: unknown): string =>
  value instanceof Networks ? value.text : typeof value === 'string' ? value : JSON.stringify(value)

/** The text of `.env.example`. */
export function envExample(): string {
  const settings = (Object.values(SETTINGS) as Setting<unknown>[]).map(
    ({ name, default: value, about, allowed }) => `# ${about}\n# Allowed: ${allowed}.\n# ${name}=${value}\n`,
  )
  return [
    '# Settings of Sauda, each with its default. Copy this file to .env and remove the # in front of what you change.\n# The environment wins over .env.\n',
    ...settings,
  ].join('\n')
}

function readEnvFile(path: string): Readonly<Record<string, string | undefined>> {
  return existsSync(path) ? withoutEmpty(parseEnv(readFileSync(path, 'utf8'))) : {}
}

function withoutEmpty(variables: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined && value.trim() !== ''))
}

/** A setting that is misspelt would be a setting that isn't there. Other programs' variables are none of our business. */
function unknownSettings(fromFile: object, environment: object): readonly string[] {
  const known = Object.values(SETTINGS).map(({ name }): string => name)
  const ours = Object.keys(environment).filter((name) => name.startsWith(PREFIX))
  const unknown = [...Object.keys(fromFile), ...ours].filter((name) => !known.includes(name))
  return unknown.map((name) => {
    const meant = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name
    const [nearest] = known.includes(meant) ? [meant] : nearestNames(meant, known, 1)
    const hint = nearest === undefined ? `The settings are ${known.join(', ')}.` : `Did you mean ${nearest}?`
    return `${name} is no setting. ${hint}`
  })
}

/** Hosts that mean every address of this machine: no link can lead there. */
const EVERYWHERE: readonly string[] = ['0.0.0.0', '::']

function contradictions(config: Config): readonly string[] {
  const { smtpUrl, smtpFrom, host, publicUrl, clientAddressHeader, trustedProxies } = config
  const problems: string[] = []
  if (smtpUrl !== '' && smtpFrom === '') problems.push('SMTP_URL needs SMTP_FROM, the sender of the mails.')
  if (smtpUrl !== '' && publicUrl === '' && EVERYWHERE.includes(host))
    problems.push(`SMTP_URL needs PUBLIC_URL while HOST is ${host}: the links in mails lead there.`)
  if (clientAddressHeader !== '' && trustedProxies.isEmpty)
    problems.push('CLIENT_ADDRESS_HEADER needs TRUSTED_PROXIES: it is believed of nobody else.')
  return problems
}
