// Answers whether the official verifier takes a message: {key, body, headers} in, {taken} out.
import { readFileSync } from "node:fs";
import { Webhook, WebhookVerificationError } from "standardwebhooks";

const { key, body, headers } = JSON.parse(readFileSync(0, "utf8"));
let taken = true;
try {
  new Webhook(key).verify(body, headers);
} catch (error) {
  if (!(error instanceof WebhookVerificationError)) throw error;
  taken = false;
}
process.stdout.write(JSON.stringify({ taken }));
