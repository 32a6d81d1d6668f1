// A socket on which the kernel tells of netfilter, in this network namespace. Node has none of that kind: the
// calls are those of the C library.
import type koffi from 'koffi';
import { NetlinkError } from '../../errors.ts';
import { withRights } from '../tools/exec.ts';

/** What was read: messages, nothing as there are none now, or that some were lost as more came than was read. */
export type Reading = Buffer | 'nothing' | 'lost';

// The numbers of linux/netlink.h, asm-generic/socket.h and bits/socket.h.
const netlinkFamily = 16;
const netfilterProtocol = 12;
const rawCloseOnExec = 0o2000003;
const bufferOption = { level: 1, name: 33 } as const;
const membershipOption = { level: 270, name: 1 } as const;
const withoutWaiting = 0x40;
const wholeLength = 0x20;

// What the kernel keeps while we are busy, in its own measure: at most the double of it, and only while it has to.
const bufferSize = 4 * 1024 * 1024;
// The kernel's are 4 kB.
const longestReading = 64 * 1024;

/** Invariant: #waiting goes on when there is something to read, or the socket is closed. */
export class NetlinkSocket {
  readonly #library: Library;
  readonly #fd: number;
  readonly #bytes = Buffer.alloc(longestReading);
  #poll: ReturnType<typeof koffi.node.poll> | undefined;
  #waiting: () => void = () => {};
  #isClosed = false;

  private constructor(library: Library) {
    this.#library = library;
    this.#fd = library.socket(netlinkFamily, rawCloseOnExec, netfilterProtocol);
    if (this.#fd < 0) throw failed('socket', library);
  }

  /**
   * Opens one that hears what is told this group. Throws NetlinkError where it is not allowed, or where the
   * library that makes the calls is not there for this machine.
   */
  static async open(group: number): Promise<NetlinkSocket> {
    const socket = new NetlinkSocket(await loadLibrary());
    try {
      socket.#join(group);
    } catch (error) {
      socket.close();
      throw error;
    }
    return socket;
  }

  /** Reads some of what is there; the bytes are good until the next read. Throws NetlinkError. */
  read(): Reading {
    const { recv, koffi } = this.#library;
    const bytes = this.#bytes;
    const length = recv(this.#fd, bytes, bytes.length, withoutWaiting | wholeLength);
    if (length > bytes.length) return 'lost';
    if (length >= 0) return bytes.subarray(0, length);
    const { EAGAIN, EINTR, ENOBUFS } = koffi.os.errno;
    const code = koffi.errno();
    if (code === EAGAIN || code === EINTR) return 'nothing';
    if (code === ENOBUFS) return 'lost';
    throw failed('recv', this.#library);
  }

  /** Resolves when there is something to read, or it is closed. */
  async readable(): Promise<void> {
    if (this.#isClosed) return;
    await new Promise<void>((resolve) => {
      this.#waiting = resolve;
      const onEvent = (): void => {
        this.#poll?.stop();
        // The event loop itself calls this; behind it no promise would go on.
        setImmediate(resolve);
      };
      // Where messages were lost libuv takes that for an error, and has ended the poll.
      if (this.#poll === undefined) this.#poll = this.#library.koffi.node.poll(this.#fd, onEvent);
      else this.#poll.start(onEvent);
    });
  }

  /** May be called again. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#poll?.close();
    this.#library.close(this.#fd);
    this.#waiting();
  }

  #join(group: number): void {
    // Where it is refused the buffer is as the machine has them, and more is lost.
    this.#set(bufferOption, bufferSize);
    const address = new Uint8Array(12);
    address[0] = netlinkFamily;
    const { bind } = this.#library;
    if (bind(this.#fd, address, address.length) < 0) throw failed('bind', this.#library);
    if (!this.#set(membershipOption, group)) throw failed('membership', this.#library);
  }

  #set(option: { readonly level: number; readonly name: number }, value: number): boolean {
    const { setsockopt } = this.#library;
    return setsockopt(this.#fd, option.level, option.name, Int32Array.of(value), 4) === 0;
  }
}

function failed(call: string, { koffi }: Library): NetlinkError {
  const { errno } = koffi.os;
  const code = koffi.errno();
  const name = Object.keys(errno).find((each) => errno[each] === code) ?? `error ${code}`;
  const why = name === 'EPERM' ? 'operation not permitted' : name;
  return new NetlinkError(withRights(`netlink: ${call}: ${why}`));
}

type Library = {
  readonly koffi: typeof koffi;
  readonly socket: (family: number, type: number, protocol: number) => number;
  readonly setsockopt: (
    fd: number,
    level: number,
    name: number,
    value: Int32Array,
    length: number,
  ) => number;
  readonly bind: (fd: number, address: Uint8Array, length: number) => number;
  readonly recv: (fd: number, bytes: Buffer, length: number, flags: number) => number;
  readonly close: (fd: number) => number;
};

let loaded: Promise<Library> | undefined;

// Loaded where it is needed: no command but `run` hears of changes, and not every machine has it.
function loadLibrary(): Promise<Library> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<Library> {
  try {
    const { default: koffi } = await import('koffi');
    const c = koffi.load(null);
    return {
      koffi,
      socket: c.func('int socket(int, int, int)'),
      setsockopt: c.func('int setsockopt(int, int, int, const void *, uint32_t)'),
      bind: c.func('int bind(int, const void *, uint32_t)'),
      recv: c.func('intptr_t recv(int, void *, uintptr_t, int)'),
      close: c.func('int close(int)'),
    };
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new NetlinkError(`netlink: koffi cannot be loaded: ${why}`);
  }
}
