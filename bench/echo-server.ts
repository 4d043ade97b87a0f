import { createServer } from 'node:http'

/** The limit that HTTP figures are compared with: node:http that reads a JSON body and answers JSON, nothing else. */
const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString())
    const text = JSON.stringify({ status: 'success', orderid: '26112500000001', echo: typeof body })
    response.writeHead(200, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(text),
    })
    response.end(text)
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the echo server listens on TCP')
  process.stdout.write(`ready at http://127.0.0.1:${address.port}\n`)
})
process.once('SIGTERM', () => {
  server.closeAllConnections()
  server.close()
})
