/**
 * Knows how to read and change maps whose keys come from elsewhere, so that a field named `__proto__` or `constructor`
 * is a name like any other. Nothing is changed in place.
 */

export type Entries<T> = Readonly<Record<string, T>>;

/** The entry of this very map; never something inherited. */
export function own<T>(map: Entries<T> | undefined, name: string): T | undefined {
  return map !== undefined && Object.hasOwn(map, name) ? map[name] : undefined;
}

export function withEntry<T>(map: Entries<T> | undefined, name: string, value: T): Record<string, T> {
  return { ...map, [name]: value };
}

export function withoutEntry<T>(map: Entries<T> | undefined, name: string): Record<string, T> {
  const { [name]: _, ...rest } = map ?? {};
  return rest;
}

/** Whether two values of JSON say the same; the order of members says nothing, nor does a member without a value. */
export function same(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) || Array.isArray(other)) return sameList(one, other);
  const left = one as Entries<unknown>;
  const right = other as Entries<unknown>;
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...names].every((name) => same(own(left, name), own(right, name)));
}

function sameList(one: unknown, other: unknown): boolean {
  if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
  return one.every((each, index) => same(each, other[index]));
}
