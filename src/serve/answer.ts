// What our small HTTP servers say: a path in, a whole answer out. Nothing here touches a socket.

/** One answer. */
export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** Answers a path, which is given without its query; any method is answered alike. */
export type Answerer = (path: string) => Answer | Promise<Answer>;

// The headers for a browser, so that it takes no answer for something else.
const nosniff = { 'X-Content-Type-Options': 'nosniff' };

/** An answer that is a JSON document. */
export function jsonAnswer(value: unknown, status = 200): Answer {
  const headers = { 'Content-Type': 'application/json', ...nosniff };
  return { status, headers, body: JSON.stringify(value) };
}

/** An answer that is plain text. */
export function textAnswer(body: string, status = 200): Answer {
  return { status, headers: { 'Content-Type': 'text/plain; charset=utf-8', ...nosniff }, body };
}

/** The answer at a path where there is nothing. */
export const notFound: Answer = textAnswer('404 page not found\n', 404);
