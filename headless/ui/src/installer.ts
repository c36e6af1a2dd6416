/**
 * The state of one customer's installation, and the acts that change it. It draws nothing; whoever does listens to the
 * state and calls the acts.
 */

import { createAccount, phaseOf } from './account.js';
import type { Account, Found } from './account.js';
import { createApi } from './api.js';
import type { Api } from './api.js';
import { connectBy, finish } from './connecting.js';
import type { Credentials, Draft, Installer, Options, Sample, State } from './contract.js';
import { createDraft, NOTHING } from './draft.js';
import type { LocalDraft } from './draft.js';
import { firstContent } from './filling.js';
import { comeHome } from './landing.js';
import { asRefusal, isAbort, Refusal } from './refusal.js';
import { createReviewer, errorsFirst } from './reviewing.js';
import type { Reviewer } from './reviewing.js';
import type { Explanation, HydratedRevision, Installation, Issue } from './shapes.js';
import { keepLooking, onReturn } from './watching.js';

type Act = Exclude<State['busy'], ''>;

const SAVING = new Set<Act>(['installing', 'updating']);

export class LocalInstaller implements Installer {
  readonly #api: Api;
  readonly #account: Account;
  readonly #local: LocalDraft;
  readonly #reviewer: Reviewer;
  readonly #listeners = new Set<(state: State) => void>();
  readonly #open = new AbortController();
  readonly #running = new Map<Act, Promise<unknown>>();
  readonly #stopWatching: () => void;
  readonly #home = comeHome();
  #connecting: AbortController | undefined;
  #found: Found | undefined;
  #current: State;

  constructor(readonly options: Readonly<Options>) {
    this.#api = createApi(options);
    this.#account = createAccount(this.#api, options);
    this.#local = createDraft(() => this.#drafted());
    this.#reviewer = createReviewer((signal) => this.#judged(signal), (change) => this.#set(change));
    this.#stopWatching = onReturn(() => void this.#lookAgain());
    this.#current = {
      phase: 'loading', busy: '', content: this.#local.content, dirty: true, issues: [], reviewing: false,
    };
  }

  get state(): State {
    return this.#current;
  }

  get draft(): Draft {
    return this.#local;
  }

  subscribe(listener: (state: State) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What fails is told in the state: nothing is thrown. */
  async load(): Promise<void> {
    if (this.#current.phase === 'failed') this.#set({ phase: 'loading' });
    await this.#act('loading', async () => {
      const outcome = await this.#home;
      // It shows whether it is connected now.
      if (outcome) await finish(this.#api, this.options.project, outcome, this.#open.signal).catch(() => undefined);
      await this.#loaded('keep');
    }).catch(() => {
      if (this.#found === undefined || this.#current.phase === 'loading') this.#set({ phase: 'failed' });
    });
  }

  async refresh(): Promise<void> {
    await this.#act('refreshing', async () => {
      const found = this.#there();
      const manifest = await this.#account.manifest(found, 'refresh', this.#open.signal);
      this.#adopt(found, manifest, 'keep');
    }).catch(() => undefined);
    // The provider may have refused the credentials: then the connection is a broken one now.
    await this.#lookAgain();
  }

  connect(credentials: Credentials = {}, signal?: AbortSignal): Promise<void> {
    return this.#act('connecting', async () => {
      const { provider, connection } = this.#there();
      this.#connecting?.abort();
      const connecting = (this.#connecting = new AbortController());
      const all = joined(joined(this.#open.signal, signal), connecting.signal);
      let later: Promise<void> | undefined;
      try {
        const customer = { options: this.options, provider, connection };
        await connectBy(this.#api, customer, credentials, all, (connected) => (later = connected));
      } catch (thrown) {
        if (isAbort(thrown) || signal?.aborted) return;
        throw thrown;
      } finally {
        if (later === undefined) connecting.abort();
        else this.#await(later, all);
      }
      await this.#loaded('keep');
    });
  }

  /** Wait for a connection from a window that is out of sight: for its word, and for what it leaves with the server. */
  #await(later: Promise<void>, signal: AbortSignal): void {
    const isConnected = (): boolean => !['connect', 'broken'].includes(this.#current.phase);
    const wasConnected = isConnected();
    const stop = (): void => {
      this.#connecting?.abort();
      if (this.#current.error?.code === 'popup-closed') this.#set({ error: undefined });
    };
    keepLooking(async () => {
      await this.#lookAgain();
      if (!wasConnected && isConnected()) stop();
    }, signal);
    later.then(() => this.#loaded('keep')).then(stop, (thrown: unknown) => {
      if (!isAbort(thrown)) this.#set({ error: asRefusal(thrown) });
    });
  }

  disconnect(): Promise<void> {
    return this.#act('disconnecting', async () => {
      const { connection } = this.#there();
      if (connection !== undefined) await this.#account.disconnect(connection);
      await this.#loaded('forget');
    });
  }

  async review(): Promise<Issue[]> {
    this.#there();
    return this.#reviewer.now();
  }

  async preview(sample: Sample, signal?: AbortSignal): Promise<Explanation> {
    return this.#account.preview(this.#there(), this.#local.content, sample, signal);
  }

  install(): Promise<Installation> {
    return this.#act('installing', async () => {
      const found = this.#there();
      try {
        const installation = await this.#account.install(found, this.#local.content);
        return this.#installed(installation, []);
      } catch (thrown) {
        throw await this.#overtaken(thrown);
      }
    });
  }

  update(): Promise<Installation> {
    return this.#act('updating', async () => {
      const { installation } = this.#there();
      if (installation === undefined) throw new Refusal('missing', 'Nothing is installed yet.');
      if (this.#local.asked.length === 0) return installation;
      try {
        const edited = await this.#account.edit(installation, this.#local.asked);
        return this.#installed(edited.installation, edited.issues);
      } catch (thrown) {
        throw await this.#overtaken(thrown);
      }
    });
  }

  uninstall(): Promise<void> {
    return this.#act('uninstalling', async () => {
      const { installation } = this.#there();
      if (installation !== undefined) await this.#account.uninstall(installation);
      await this.#loaded('forget');
    });
  }

  close(): void {
    this.#open.abort();
    this.#reviewer.stop();
    this.#stopWatching();
    this.#listeners.clear();
  }

  /** One act of a kind at a time: whoever asks for it again gets the same answer. */
  #act<T>(busy: Act, run: () => Promise<T>): Promise<T> {
    const already = this.#running.get(busy) as Promise<T> | undefined;
    if (already !== undefined) return already;
    this.#set({ busy, error: undefined });
    const acting = run()
      .catch((thrown: unknown) => {
        const error = asRefusal(thrown);
        // What is wrong with credentials is no matter of the draft.
        const ofDraft = SAVING.has(busy) && error.issues !== undefined;
        this.#set({ error, ...(ofDraft ? { issues: errorsFirst(error.issues ?? []) } : {}) });
        throw error;
      })
      .finally(() => {
        this.#running.delete(busy);
        this.#set({ busy: [...this.#running.keys()].at(-1) ?? '' });
      });
    this.#running.set(busy, acting);
    return acting;
  }

  #set(change: Partial<State>): void {
    if (this.#open.signal.aborted) return;
    this.#current = { ...this.#current, ...change };
    for (const listener of this.#listeners) listener(this.#current);
  }

  #there(): Found {
    if (this.#found === undefined) throw new Refusal('missing', 'Nothing is loaded yet.');
    return this.#found;
  }

  async #loaded(edits: 'keep' | 'forget'): Promise<void> {
    const { signal } = this.#open;
    const standing = await this.#account.look(signal);
    const { integration } = standing;
    const asked = Promise.all([
      this.#account.provider(standing, signal),
      this.#account.manifest(standing, 'cached', signal).catch((thrown: unknown) => {
        // A connection can be mended without it.
        if (phaseOf(standing) === 'broken') return undefined;
        throw thrown;
      }),
    ]);
    // It is drawn while the answers are on their way.
    this.#set({ integration });
    const [provider, manifest] = await asked;
    this.#adopt({ ...standing, provider }, manifest, edits);
  }

  /** Show what was found, with the draft on it. */
  #adopt(found: Found, manifest: HydratedRevision | undefined, edits: 'keep' | 'forget'): void {
    this.#found = found;
    const offers = this.options.fieldMapping ?? {};
    const installed = found.installation?.config.content;
    if (manifest !== undefined) {
      const content = installed ?? firstContent(manifest.content, offers);
      this.#local.stand({ manifest: manifest.content, content, offers }, edits);
    } else if (edits === 'forget') {
      this.#local.stand(NOTHING, edits);
    }
    const { provider, connection, installation } = found;
    const issues = edits === 'keep' ? this.#current.issues : [];
    this.#set({ phase: phaseOf(found), provider, connection, installation, manifest, issues, ...this.#drafting() });
    if (manifest !== undefined) this.#reviewer.soon();
  }

  #installed(installation: Installation, issues: Issue[]): Installation {
    const { connection } = installation;
    this.#adopt({ ...this.#there(), installation, connection }, this.#current.manifest, 'forget');
    this.#set({ issues: errorsFirst(issues) });
    return installation;
  }

  /** Where somebody else was faster, show what they did, with the customer's changes on top of it. */
  async #overtaken(thrown: unknown): Promise<unknown> {
    const error = asRefusal(thrown);
    const exists = error.issues?.some((issue) => issue.code === 'already-installed') ?? false;
    if (error.code !== 'conflict' && !exists) return error;
    await this.#loaded('keep');
    return new Refusal('conflict', error.message, error.status);
  }

  #drafting(): Partial<State> {
    const isNew = this.#found?.installation === undefined;
    return { content: this.#local.content, dirty: isNew || this.#local.changed };
  }

  #drafted(): void {
    this.#set(this.#drafting());
    if (this.#current.manifest !== undefined) this.#reviewer.soon();
  }

  #judged(signal: AbortSignal): Promise<Issue[]> {
    return this.#account.review(this.#there(), this.#local.content, signal);
  }

  /** Take in what another tab, or the product's own server, has changed meanwhile; the draft stays. */
  async #lookAgain(): Promise<void> {
    if (this.#found === undefined || this.#current.busy !== '' || this.#current.phase === 'failed') return;
    try {
      if (!(await this.#account.hasChanged(this.#found, this.#open.signal)) || this.#current.busy !== '') return;
      await this.#loaded('keep');
    } catch {
      // Nobody asked for it: what is shown stays.
    }
  }
}

/** Fires when one of the two does. */
function joined(one: AbortSignal, other: AbortSignal | undefined): AbortSignal {
  const both = new AbortController();
  for (const signal of [one, other]) {
    if (signal?.aborted) both.abort();
    signal?.addEventListener('abort', () => both.abort(), { once: true });
  }
  return both.signal;
}
