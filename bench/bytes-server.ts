import { createServer } from 'node:http'

/** The limit that long answers are compared with: node:http that answers so many bytes of text, made once. */
const text = 'x'.repeat(Number(process.argv[2]))
const server = createServer((request, response) => {
  request.resume().on('end', () => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    response.end(text)
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server listens on TCP')
  process.stdout.write(`ready at http://127.0.0.1:${address.port}\n`)
})
process.once('SIGTERM', () => {
  server.closeAllConnections()
  server.close()
})
