import { Agent, request } from 'node:http'

/** Median and 99th percentile of one connection's round trips, in ms; finer than a load generator's whole milliseconds. */
export async function sequential(
  url: string,
  bodies: readonly object[],
  count: number,
): Promise<{ p50Ms: number; p99Ms: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const times: number[] = []
  for (let index = 0; index < count; index += 1) {
    const text = JSON.stringify(bodies[index % bodies.length])
    const startedAt = performance.now()
    await post(url, text, agent)
    times.push(performance.now() - startedAt)
  }
  agent.destroy()
  times.sort((a, b) => a - b)
  return { p50Ms: times[Math.floor(times.length / 2)] ?? 0, p99Ms: times[Math.floor(times.length * 0.99)] ?? 0 }
}

function post(url: string, text: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        agent,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
      },
      (response) => {
        let answer = ''
        response.on('data', (chunk: Buffer) => {
          answer += chunk.toString()
        })
        response.once('end', () =>
          response.statusCode === 200 ? resolve() : reject(new Error(`${url} answered ${answer}`)),
        )
      },
    )
    sent.once('error', reject)
    sent.end(text)
  })
}
