// HTML out of templates in which every value is text unless it is HTML made here: whatever a cluster's
// user wrote can be shown, and can become nothing else.

/** HTML that was made by `html`, and by nothing else. */
export class Html {
  readonly #text: string;

  private constructor(text: string) {
    this.#text = text;
  }

  /** Joins trusted text, which the template itself has, and values, which are escaped. */
  static of(strings: readonly string[], values: readonly HtmlValue[]): Html {
    return new Html(strings.map((text, index) => text + spelled(values[index])).join(''));
  }

  toString(): string {
    return this.#text;
  }
}

/** What may stand in a template. */
export type HtmlValue = Html | string | number | undefined | readonly HtmlValue[];

/** html`<td>${name}</td>` */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return Html.of(strings, values);
}

function spelled(value: HtmlValue): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.toString();
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return escaped(value);
  return value.map(spelled).join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

// What turns the direction of writing round, or is not seen at all, is shown as what it is.
function escaped(text: string): string {
  return text
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
      return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
    })
    .replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');
}
