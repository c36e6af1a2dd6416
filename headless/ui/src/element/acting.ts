/**
 * What the element's buttons do: each act is tried, told to screen readers and to the page, and leaves the focus where
 * what comes next begins. It remembers what is open and what failed.
 */

import { errorsOf, hindrance } from './savebar.js';
import { say, type Acts, type Failure, type Panel, type View } from './view.js';
import type { FormPart } from './parts.js';
import type { Credentials, InstallError, Installer, State } from '../contract.js';
import type { Key } from './strings.js';

/** The element, as far as its acts need it. */
export interface Stage {
  installer(): Installer | undefined;
  view(): View;
  announce(text: string): void;
  emit(name: string, detail: unknown): void;
  /** Draw again; resolves when that is done. */
  redraw(): Promise<unknown>;
  find(selector: string): HTMLElement | null;
  hasFocus(): boolean;
}

const BUTTON: Readonly<Record<Panel, string>> = {
  '': '', reconnect: '#isthmus-reconnect', uninstall: '#isthmus-uninstall',
};

export class Acting {
  panel: Panel = '';
  failure: Failure | undefined;
  listed = false;
  dirty = false;

  readonly #stage: Stage;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  readonly acts: Acts = {
    retry: () => void this.#attempt('panel', (installer) => installer.load()),
    save: () => void this.#save(),
    discard: () => this.#discard(),
    refresh: () => void this.#attempt('foot', (installer) => installer.refresh(), 'shell.refreshed'),
    disconnect: () => void this.#attempt('foot', (installer) => installer.disconnect(), 'shell.disconnected'),
    uninstall: () => void this.#uninstall(),
    open: (panel) => void this.#open(panel),
    showProblem: () => void this.#showProblem(),
    connect: (credentials, signal) => this.#connect(credentials, signal),
  };

  /** Another installer: what was open belonged to the last one. */
  reset(): void {
    this.panel = '';
    this.failure = undefined;
    this.listed = false;
    this.#tellDirty(false);
  }

  /** Tell the page what has changed, and keep the focus where what had it goes away. */
  follow(before: State, after: State): void {
    if (after.error && after.error !== before.error) {
      const { code, message, status, issues } = after.error;
      // Who builds the page reads more there than a customer is shown.
      console.warn(`isthmus-install: ${message}`);
      // An `Error` would lose some of it in JSON, or on its way to another window.
      this.#stage.emit('error', { code, message, status, issues });
      if (code === 'token') this.#stage.emit('tokenexpired', undefined);
    }
    const edits = this.#stage.installer()?.draft.edits.length ?? 0;
    this.#tellDirty(after.installation ? after.dirty : after.phase === 'configure' && edits > 0);
    if (!errorsOf(after.issues).length) this.listed = false;
    if (this.#isUnconnected(before) && !this.#isUnconnected(after) && after.connection) {
      this.#stage.emit('connected', { connection: after.connection });
    }
    if (before.phase !== after.phase) void this.#arrive();
  }

  #isUnconnected({ phase }: State): boolean {
    return phase === 'connect' || phase === 'broken';
  }

  #tellDirty(dirty: boolean): void {
    if (dirty === this.dirty) return;
    this.dirty = dirty;
    this.#stage.emit('dirtychange', { dirty });
  }

  async #arrive(): Promise<void> {
    const had = this.#stage.hasFocus();
    this.panel = '';
    await this.#stage.redraw();
    if (had && !this.#stage.hasFocus()) this.#stage.find('#isthmus-heading')?.focus();
  }

  async #attempt<T>(
    place: Failure['place'], act: (installer: Installer) => Promise<T>, done?: Key,
  ): Promise<T | undefined> {
    const installer = this.#stage.installer();
    if (!installer || this.#stage.view().state.busy) return undefined;
    this.failure = undefined;
    const view = this.#stage.view();
    try {
      const result = await act(installer);
      if (done) this.#stage.announce(say(view, done));
      return result;
    } catch (thrown) {
      this.failure = { place, error: errorFrom(thrown) };
      return undefined;
    } finally {
      void this.#stage.redraw();
    }
  }

  async #connect(credentials: Credentials, signal: AbortSignal): Promise<InstallError | undefined> {
    const installer = this.#stage.installer();
    if (!installer) return undefined;
    const view = this.#stage.view();
    try {
      await installer.connect(credentials, signal);
    } catch (thrown) {
      return signal.aborted ? undefined : errorFrom(thrown);
    }
    if (signal.aborted) return undefined;
    this.#stage.announce(say(view, 'shell.connect.done'));
    if (!this.#isUnconnected(view.state)) this.#stage.emit('connected', { connection: installer.state.connection });
    if (this.panel) await this.#open('');
    return undefined;
  }

  async #save(): Promise<void> {
    const view = this.#stage.view();
    const hindered = hindrance(view);
    if (hindered === 'errors') {
      // While the draft is reviewed, what was wrong may be mended already: saving tells.
      if (!view.state.reviewing) return this.#showProblem();
    } else if (hindered) return undefined;
    const isNew = view.state.installation === undefined;
    const installation = isNew
      ? await this.#attempt('savebar', (installer) => installer.install(), 'shell.installedNow')
      : await this.#attempt('savebar', (installer) => installer.update(), 'shell.savedNow');
    if (installation) this.#stage.emit(isNew ? 'installed' : 'updated', { installation });
    else if (errorsOf(this.#stage.view().state.issues).length) await this.#showProblem();
    return undefined;
  }

  #discard(): void {
    const view = this.#stage.view();
    if (view.state.busy) return;
    this.failure = undefined;
    this.#stage.installer()?.draft.reset();
    this.#stage.announce(say(view, 'shell.discarded'));
    void this.#stage.redraw().then(() => this.#stage.hasFocus() || this.#stage.find('#isthmus-save')?.focus());
  }

  async #uninstall(): Promise<void> {
    const installationId = this.#stage.view().state.installation?.id;
    const isDone = await this.#attempt('panel', async (installer) => {
      await installer.uninstall();
      return true;
    }, 'shell.uninstalled');
    if (isDone) this.#stage.emit('uninstalled', { installationId });
  }

  async #open(panel: Panel): Promise<void> {
    const last = this.panel;
    this.panel = panel;
    if (this.failure?.place === 'panel') this.failure = undefined;
    await this.#stage.redraw();
    const next = this.#stage.find(panel ? '#isthmus-panel' : BUTTON[last]);
    next?.focus();
    // The whole of it, with what confirms it.
    if (panel) next?.parentElement?.scrollIntoView({ block: 'nearest' });
  }

  async #showProblem(): Promise<void> {
    const form = this.#stage.find('isthmus-part-form') as FormPart | null;
    await this.#stage.redraw();
    // Errors stand before warnings.
    const [first] = this.#stage.view().state.issues;
    if (!first || form?.focusIssue(first)) return;
    this.listed = true;
    await this.#stage.redraw();
    this.#stage.find('#isthmus-problems')?.focus();
  }
}

function errorFrom(thrown: unknown): InstallError {
  const given = thrown as Partial<InstallError> | undefined;
  if (typeof given?.code === 'string' && typeof given.message === 'string') return given as InstallError;
  return { code: 'server', message: String(given?.message ?? thrown) };
}
