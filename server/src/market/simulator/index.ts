export { simulatedInstruments } from './instruments.ts'
export { createSimulator, HISTORY_STARTS_ON, SimulatedMarket, type SimulatorOptions } from './market.ts'
export { createUniverse, type UniverseOptions } from './universe.ts'
