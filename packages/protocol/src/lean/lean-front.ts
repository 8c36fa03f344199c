// Sorts a server's connections: those of lean clients are served here, all others go to whoever
// speaks the rest of HTTP/2.
import type { Socket } from "node:net";
import type { LeanConnection } from "./lean-connection.ts";
import { type LeanMethods, serveLean } from "./lean-server.ts";
import { OpeningReader } from "./opening.ts";

/** Longest a client may take for its first bytes. */
const openingTimeoutMs = 10_000;

/** A server's connections, from their first byte to their end. */
export class LeanFront {
  readonly #methods: LeanMethods;
  readonly #serveOther: (socket: Socket) => void;
  readonly #sockets = new Set<Socket>();
  readonly #connections = new Set<LeanConnection>();

  /** @param methods may be added to later */
  constructor(methods: LeanMethods, serveOther: (socket: Socket) => void) {
    this.#methods = methods;
    this.#serveOther = serveOther;
  }

  /** Takes a new connection. */
  take(socket: Socket): void {
    this.#sockets.add(socket);
    const timer = setTimeout(() => socket.destroy(), openingTimeoutMs);
    const onError = () => {}; // "close" follows
    socket.on("error", onError);
    socket.once("close", () => {
      clearTimeout(timer);
      this.#sockets.delete(socket);
    });
    const opening = new OpeningReader(true);
    const read = () => {
      const bytes: Buffer | null = socket.read();
      if (bytes === null) return; // the end
      const found = opening.push(bytes);
      if (found.kind === "incomplete") return;
      clearTimeout(timer);
      socket.off("readable", read);
      socket.off("error", onError);
      if (found.kind === "other") {
        socket.unshift(opening.bytes);
        this.#serveOther(socket);
      } else {
        this.#serve(socket, found.settings, opening.bytes.subarray(found.length));
      }
    };
    socket.on("readable", read);
  }

  /** Ends each lean connection when it has no more calls; it takes no new ones. */
  drain(): void {
    for (const connection of this.#connections) connection.drain();
  }

  /** Ends every connection, lean or not, now. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(socket: Socket, settings: ReadonlyMap<number, number>, rest: Buffer): void {
    const methods = this.#methods;
    const onClose = () => this.#connections.delete(connection);
    const connection = serveLean(socket, settings, { methods, onClose });
    this.#connections.add(connection);
    connection.receive(rest);
  }
}
