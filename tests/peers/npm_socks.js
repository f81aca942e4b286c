// npm_socks.js: the npm package "socks" as a client of a proxy.
//
//     npm_socks.js PROXY-PORT HOST PORT [USER PASSWORD]
//
// Send what comes on standard input, end, and print the answer.
const { SocksClient } = require('socks');

const [proxy, host, port, userId, password] = process.argv.slice(2);

SocksClient.createConnection({
  proxy: { host: '127.0.0.1', port: Number(proxy), type: 5, userId, password },
  command: 'connect',
  destination: { host, port: Number(port) },
}).then(({ socket }) => {
  socket.pipe(process.stdout);
  process.stdin.pipe(socket);
}).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
