// What the page asks of the command that serves it.

export class Failure extends Error {
  constructor(status, words) {
    super(words);
    this.status = status; // 0: nobody has answered
  }
}

export async function ask(method, path, value) {
  const body = value === undefined ? undefined : JSON.stringify(value);
  let reply;
  try {
    reply = await fetch(path, { method, body });
  } catch {
    throw new Failure(0, "latentwalk look does not answer (has it ended?)");
  }
  if (!reply.ok) {
    const told = await reply.json().catch(() => ({}));
    throw new Failure(reply.status, told.error ?? `${reply.status} ${reply.statusText}`);
  }
  return reply;
}

export const askJson = async (...request) => (await ask(...request)).json();
