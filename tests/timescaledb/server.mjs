// A TimescaleDB on 127.0.0.1 for one connection. It prints its port, and ends with its standard input.
import { PGlite } from '@electric-sql/pglite';
import { timescaledb } from '@electric-sql/pglite/timescaledb';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

const db = await PGlite.create({ extensions: { timescaledb } });
const server = new PGLiteSocketServer({ db, port: 0, host: '127.0.0.1' });
server.addEventListener('listening', (event) => console.log(JSON.stringify(event.detail)));
await server.start();
process.stdin.on('end', () => process.exit());
process.stdin.resume();
