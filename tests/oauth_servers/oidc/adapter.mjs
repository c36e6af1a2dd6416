// Keeps what the provider stores. Its own memory adapter forgets the oldest of a thousand things, and cannot be asked.

export const stored = new Map();

const known = (model) => {
  if (!stored.has(model)) stored.set(model, new Map());
  return stored.get(model);
};

export class Adapter {
  constructor(model) {
    this.records = known(model);
  }

  async upsert(id, payload) {
    this.records.set(id, payload);
  }

  async find(id) {
    return this.records.get(id);
  }

  async findByUid(uid) {
    return [...this.records.values()].find((each) => each.uid === uid);
  }

  async findByUserCode(userCode) {
    return [...this.records.values()].find((each) => each.userCode === userCode);
  }

  async consume(id) {
    this.records.get(id).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    this.records.delete(id);
  }

  async revokeByGrantId(grantId) {
    for (const [id, each] of this.records) if (each.grantId === grantId) this.records.delete(id);
  }
}
