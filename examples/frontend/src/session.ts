import { Zaps, take } from "@zaps/client";

const KEPT = "film-desk";

interface Kept {
  baseUrl: string;
  key: string;
}

/** Who is signed in, and at which server. The key is kept for this tab, and forgotten with it. */
export interface Session {
  zaps: Zaps;
  name: string;
}

let current: Session | null = null;

/** The session of this tab: as it is, or from what was kept when the page was left. */
export async function resume(): Promise<Session | null> {
  const kept = sessionStorage.getItem(KEPT);
  return current ?? (kept === null ? null : await signIn(JSON.parse(kept) as Kept));
}

/** Ask the server whose key it is. Throws Refused for one that it does not know. */
export async function signIn({ baseUrl, key }: Kept): Promise<Session> {
  const zaps = new Zaps({ baseUrl, key });
  const { user } = await take(zaps.api.GET("/api/session"));
  sessionStorage.setItem(KEPT, JSON.stringify({ baseUrl, key }));
  current = { zaps, name: user?.name ?? "nobody" };
  return current;
}

export function signOut(): void {
  sessionStorage.removeItem(KEPT);
  current = null;
}
