// A dump of bytes in rows, expected and found.

export interface Row {
  offset: number;
  expected: (string | null)[];
  found: (string | null)[];
}

function bytesOf(hex: string): string[] {
  return hex.match(/../g) ?? [];
}

// Rows begin at multiples of their length, as in every other dump.
export function hexRows(contextOffset: number, expectedHex: string, foundHex: string, perRow: number): Row[] {
  const expected = bytesOf(expectedHex);
  const found = bytesOf(foundHex);
  const end = contextOffset + Math.max(expected.length, found.length);
  const rows: Row[] = [];
  for (let offset = Math.floor(contextOffset / perRow) * perRow; offset < end; offset += perRow) {
    const at = (bytes: string[]) => Array.from({ length: perRow }, (_, i) => bytes[offset + i - contextOffset] ?? null);
    rows.push({ offset, expected: at(expected), found: at(found) });
  }
  return rows;
}
