import type { Cloud, Service } from './cloud.ts';
import { NameService } from './dns/name-service.ts';
import { addOutsideWorld, type SenderKey } from './dns/outside-world.ts';
import { resolverOf } from './dns/resolver.ts';
import { DnsServer } from './dns/server.ts';
import { Route53 } from './route53/route53.ts';
import type { ObjectStore, Topics } from './ses/delivery.ts';
import { Ses } from './ses/ses.ts';
import { SmtpServer } from './smtp/server.ts';

interface Address {
  host: string;
  port: number;
}

/** The mail side of the local cloud: SES and Route 53 for the one endpoint, an SMTP and a DNS server for everyone. */
export class MailWorld {
  readonly names = new NameService();
  readonly ses: Ses;
  readonly route53: Route53;
  readonly #cloud: Cloud;
  readonly #smtp: SmtpServer;
  readonly #dns: DnsServer;
  #smtpPort: number | undefined;

  constructor(options: { cloud: Cloud; domain: string; objects: ObjectStore; topics: Topics }) {
    const { cloud, domain } = options;
    this.#cloud = cloud;
    this.route53 = new Route53({ cloud, names: this.names, domain });
    this.ses = new Ses({ ...options, names: this.names });
    this.#smtp = new SmtpServer({ cloud, taker: this.ses.receiving, resolve: resolverOf(this.names) });
    this.#dns = new DnsServer(this.names);
  }

  get services(): Service[] {
    return [this.ses, this.route53];
  }

  /** Port 0 takes any that is free. `senderKey` signs mail as sender.test. */
  async start(ports: {
    smtp: number;
    dns: number;
  }): Promise<{ smtp: Address; dns: Address; senderKey: SenderKey }> {
    const senderKey = await addOutsideWorld(this.names, this.#cloud);
    await this.ses.start();
    const dns = await this.#dns.start(ports.dns);
    const smtp = await this.#smtp.start(ports.smtp);
    this.#smtpPort = smtp.port;
    return { smtp, dns, senderKey };
  }

  /** Delivers what SES has taken for sending; to be called once everything that mail may lead to is deployed. */
  startSending(): void {
    if (this.#smtpPort !== undefined) this.ses.sending.deliveries.start(this.#smtpPort);
  }

  /** First who is on the way through the doors, then the doors, then what stands behind them. */
  async stop(): Promise<void> {
    await this.ses.sending.deliveries.stop();
    await Promise.all([this.#smtp.stop(), this.#dns.stop()]);
    await Promise.all(this.services.map((service) => service.stop()));
  }
}
