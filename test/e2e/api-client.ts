// Requests to any API server, signed in as a kubeconfig says: a method, a path and an object in, the
// answer's object out.
import http from 'node:http';
import https from 'node:https';
import { SignIn } from '../../src/cluster/api/connection/sign-in.ts';

/** An object as the API has it, as far as the end-to-end test looks into it. */
export type ApiObject = {
  readonly metadata: { readonly name: string; readonly generation?: number };
  readonly [field: string]: unknown;
};

/** The API server said no; `status` is HTTP's. */
export class ApiFailure extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

const timeoutMs = 60_000;

/** The API server of one cluster. */
export class ApiClient {
  readonly #signIn: SignIn;

  private constructor(signIn: SignIn) {
    this.#signIn = signIn;
  }

  static async open(kubeconfig: string): Promise<ApiClient> {
    return new ApiClient(await SignIn.load({ kubeconfig }));
  }

  /** Makes one request; throws ApiFailure for an answer that is none of 200 to 299. */
  async request<T>(method: Method, path: string, object?: object): Promise<T> {
    const { server, options } = await this.#signIn.options();
    const url = new URL(`${server.pathname.replace(/\/$/, '')}${path}`, server);
    const body = object === undefined ? '' : JSON.stringify(object);
    const headers = {
      ...(options.headers as http.OutgoingHttpHeaders | undefined),
      accept: 'application/json',
      ...(body === '' ? {} : { 'content-type': 'application/json' }),
    };
    const send = url.protocol === 'https:' ? https.request : http.request;
    const signal = AbortSignal.timeout(timeoutMs);
    const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
    send(url, { ...options, method, headers, signal }, resolve)
      .on('error', reject)
      .end(body);
    const response = await promise;
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk as string;
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return JSON.parse(text) as T;
    throw new ApiFailure(status, `${method} ${path}: ${status} ${messageOf(text)}`);
  }

  /** What is at the path; undefined where there is nothing. */
  async find<T>(path: string): Promise<T | undefined> {
    try {
      return await this.request<T>('GET', path);
    } catch (error) {
      if (error instanceof ApiFailure && error.status === 404) return undefined;
      throw error;
    }
  }
}

function messageOf(text: string): string {
  try {
    return (JSON.parse(text) as { readonly message?: string }).message ?? text;
  } catch {
    return text.trim();
  }
}
