import type { DatabaseSync } from 'node:sqlite';
import type { Cloud } from '../cloud.ts';
import type { NameService } from '../dns/name-service.ts';
import { type Resolve, resolverOf } from '../dns/resolver.ts';
import { transaction } from '../open-database.ts';
import { handOver, type Outcome, type SmtpTransport, smtpTransport } from './hand-over.ts';
import type { OutgoingDelivery, OutgoingStore } from './outgoing-store.ts';

interface Deps {
  cloud: Cloud;
  names: NameService;
  database: DatabaseSync;
  store: OutgoingStore;
}

const AT_ONCE = 5;
/** Seconds before the next try; the last one repeats. */
const LADDER = [5, 15, 60, 300, 900, 1800, 3600];
/** SES gives up after 14 hours (API reference, DeliveryOptions, MaxDeliverySeconds). */
const PATIENCE = 50_400_000;
const STOPPING = 1_000;

/** Brings accepted mail to its recipients' mail servers, in the background and across restarts. */
export class OutgoingDeliveries {
  readonly #deps: Deps;
  readonly #resolve: Resolve;
  readonly #inHand = new Map<number, Promise<void>>();
  #transport: SmtpTransport | undefined;
  #stopping: Promise<void> | undefined;
  #cancelTimer = () => {};

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#resolve = resolverOf(deps.names);
  }

  /** Begins with what an earlier run left: buckets, topics and rules are deployed by then. */
  start(smtpPort: number): void {
    this.#transport = smtpTransport(smtpPort, this.#deps.cloud.region, AT_ONCE);
    this.wake();
  }

  /** Waits at most a second; a delivery that takes longer is made again at the next start. */
  stop(): Promise<void> {
    this.#stopping ??= this.#finish();
    return this.#stopping;
  }

  async #finish(): Promise<void> {
    this.#cancelTimer();
    const patience = new Promise<void>((resolve) => setTimeout(resolve, STOPPING).unref());
    await Promise.race([Promise.all(this.#inHand.values()), patience]);
    this.#transport?.close();
  }

  /** Takes up what is due, and comes back when the next one is. */
  wake(): void {
    this.#cancelTimer();
    if (this.#stopping !== undefined || this.#transport === undefined) return;
    const { cloud, store } = this.#deps;
    const now = cloud.clock.now();
    for (const delivery of store.waiting(2 * AT_ONCE)) {
      if (this.#inHand.size >= AT_ONCE) return;
      if (this.#inHand.has(delivery.id)) continue;
      if (delivery.due > now) {
        this.#cancelTimer = cloud.clock.after(delivery.due - now, () => this.wake());
        return;
      }
      const work = this.#deliver(delivery, this.#transport);
      this.#inHand.set(delivery.id, work);
      void work.finally(() => {
        this.#inHand.delete(delivery.id);
        this.wake();
      });
    }
  }

  async #deliver(delivery: OutgoingDelivery, transport: SmtpTransport): Promise<void> {
    const { cloud, store, database } = this.#deps;
    const { region } = cloud;
    try {
      const mail = store.message(delivery.mail);
      const outcomes = await handOver({ ...delivery, ...mail, resolve: this.#resolve, region, transport });
      // One that came too late for the stop is made again: better twice than never.
      if (database.isOpen) this.#settle(delivery, outcomes);
    } catch (error) {
      if (!database.isOpen) return;
      cloud.print(`ses: the delivery of mail ${delivery.mail} failed: ${(error as Error).stack}`);
      store.again(delivery.id, delivery.recipients, this.#next(delivery));
    }
  }

  #settle(delivery: OutgoingDelivery, outcomes: Outcome[]): void {
    const { cloud, store, database } = this.#deps;
    const patient = cloud.clock.now() - delivery.accepted < PATIENCE;
    const again = outcomes.filter(({ result }) => result === 'later' && patient);
    const lost = outcomes.filter(({ result }) => result === 'never' || (result === 'later' && !patient));
    for (const { recipient, reason } of lost) {
      cloud.print(
        `ses: mail ${delivery.mail} to ${recipient} bounced, and nothing listens for it: ${reason}`,
      );
    }
    const left = again.map(({ recipient }) => recipient);
    if (left.length > 0) store.again(delivery.id, left, this.#next(delivery));
    else transaction(database, () => store.remove(delivery));
  }

  #next({ attempts }: OutgoingDelivery): number {
    return this.#deps.cloud.clock.now() + (LADDER[attempts] ?? LADDER.at(-1)!) * 1000;
  }
}
