// Runs an operation with a client and prints each result in a line: node client.js <client> <url> <query>
import { createClient as createStreamClient } from "graphql-sse";
import { createClient as createSocketClient } from "graphql-ws";
import WebSocket from "ws";

const [kind, url, query] = process.argv.slice(2);
const client =
  kind === "graphql-ws" ? createSocketClient({ url, webSocketImpl: WebSocket }) : createStreamClient({ url });

try {
  for await (const result of client.iterate({ query })) console.log(JSON.stringify(result));
} catch (error) {
  console.log(JSON.stringify({ failed: Array.isArray(error) ? error : String(error) }));
}
client.dispose();
