/** GET of a route of a running server; fails with what it answered. */
export async function getJson<Answer>(
  server: string,
  path: string,
  parameters: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const url = new URL(path, server);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url.href} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Answer;
}
