/**
 * What every element here is: it draws itself with Lit's templates soon after one of its properties has changed, once
 * for all that change at a time. Lit's own class for this also knows attributes of every type, decorators, controllers
 * and old browsers, and is three times as large.
 */

import { render } from 'lit/html.js';

/** Told by an element that could not be drawn; who holds it shows something else. */
export const UNDRAWN = 'isthmus-undrawn';

/** What the properties that have changed were before, by name. */
export type Changed = ReadonlyMap<string, unknown>;

interface Defined {
  new (): Reactive;
  properties: readonly string[];
}

export abstract class Reactive extends HTMLElement {
  /** The names of those whose change draws it anew. They are declared without a value. */
  static properties: readonly string[] = [];

  /** Resolves when what is asked for now is drawn. Rejects where drawing failed. */
  updateComplete: Promise<void>;
  protected renderRoot: HTMLElement | ShadowRoot | undefined;
  readonly #values = new Map<string, unknown>();
  #changed = new Map<string, unknown>();
  #waiting = false;
  #begin: () => void = () => undefined;

  constructor() {
    super();
    // Nothing is drawn before it stands in a page.
    this.updateComplete = new Promise((resolve) => (this.#begin = resolve));
    this.requestUpdate();
  }

  /** Have a property watched, for all elements of a class. */
  static watch(prototype: Reactive, name: string): void {
    Object.defineProperty(prototype, name, {
      get(this: Reactive) {
        return this.#values.get(name);
      },
      set(this: Reactive, value: unknown) {
        this.#set(name, value);
      },
    });
  }

  #set(name: string, value: unknown): void {
    const before = this.#values.get(name);
    if (Object.is(before, value)) return;
    this.#values.set(name, value);
    if (!this.#changed.has(name)) this.#changed.set(name, before);
    this.requestUpdate();
  }

  connectedCallback(): void {
    this.renderRoot ??= this.createRenderRoot();
    // What was set before the element was defined is no property of ours yet.
    for (const name of (this.constructor as unknown as Defined).properties) {
      const early = Object.getOwnPropertyDescriptor(this, name);
      if (early && Reflect.deleteProperty(this, name)) this.#set(name, early.value);
    }
    this.#begin();
  }

  requestUpdate(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    this.updateComplete = this.#drawAfter(this.updateComplete);
  }

  async #drawAfter(last: Promise<void>): Promise<void> {
    try {
      // One step and no more: what is drawn within is then drawn before anybody who waits for this goes on.
      await last;
    } catch {
      // It was told to whoever waited.
    }
    const changed = this.#changed;
    try {
      this.#draw(changed);
    } catch (thrown) {
      this.undrawn();
      throw thrown;
    }
    this.updated(changed);
  }

  #draw(changed: Changed): void {
    let drawn: unknown;
    try {
      this.willUpdate(changed);
      drawn = this.render();
    } finally {
      this.#changed = new Map();
      this.#waiting = false;
    }
    render(drawn, this.renderRoot as HTMLElement, { host: this });
  }

  protected abstract createRenderRoot(): HTMLElement | ShadowRoot;

  protected abstract render(): unknown;

  /** Before it is drawn: what is set here is drawn with it. */
  protected willUpdate(_changed: Changed): void {}

  /** It could not be drawn, as where the server has answered something that it never says. */
  protected undrawn(): void {
    this.dispatchEvent(new Event(UNDRAWN, { bubbles: true }));
  }

  /** After it was drawn. */
  protected updated(_changed: Changed): void {}
}

/** Define an element once, also where the module was loaded twice. */
export function define(name: string, element: Defined): void {
  if (customElements.get(name)) return;
  for (const property of element.properties) Reactive.watch(element.prototype, property);
  customElements.define(name, element);
}
