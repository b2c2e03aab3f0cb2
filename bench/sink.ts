import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/* A package manager that takes every upload and keeps nothing of it. Says its port on standard output. */

const server = createServer((request, response) => {
  request.resume();
  request.on('end', () =>
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end('{"success":true,"msg":"Package uploaded","path":"/etc/packages/big.zip"}'),
  );
});
server.requestTimeout = 0;
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
