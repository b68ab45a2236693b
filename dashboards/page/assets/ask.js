// Questions to the server. What fails says whether it was asked wrongly, the ledger is away, or nobody answers.

export class Unanswered extends Error {
  constructor(kind, message) {
    super(message);
    this.kind = kind;
  }
}

/** The JSON of an address under api/. Throws Unanswered of kind "wrong", "ledger" or "away", and AbortError. */
export async function ask(path, parameters, signal) {
  let response;
  let answer;
  try {
    response = await fetch(`api/${path}${parameters ? `?${parameters}` : ""}`, { signal });
    answer = await response.json();
  } catch (failure) {
    if (signal?.aborted) throw failure;
    throw new Unanswered("away", "Start it again with weir up; this page goes on by itself.");
  }
  if (response.ok) return answer;
  const words = answer.hint ? `${answer.error}. ${answer.hint}.` : `${answer.error}.`;
  throw new Unanswered(response.status === 400 ? "wrong" : "ledger", words);
}
