// Rows that grow on demand, the newest first; and what stands there when there are none, or not yet.
import type { ComponentChildren } from "preact";
import type { Pages } from "../data/use_pages";
import { Empty, Loading, ProblemBox, Section } from "./basics";
import { type Column, Table } from "./table";

export function Listing<T extends { id: number }>(props: {
  what: string; // "runs"
  pages: Pages<T>;
  columns: Column<T>[];
  none: ComponentChildren;
}) {
  const { what, pages } = props;
  return (
    <Section title="Newest first">
      {pages.problem && <ProblemBox problem={pages.problem} retry={pages.reload} />}
      {!pages.ready && !pages.problem && <Loading what={what} />}
      {pages.ready && pages.items.length === 0 && <Empty>{props.none}</Empty>}
      {pages.items.length > 0 && (
        <Table
          label={`The ${what}, newest first`}
          columns={props.columns}
          rows={pages.items}
          keyOf={(item) => item.id}
        />
      )}
      {pages.hasMore && (
        <button type="button" class="more" aria-disabled={pages.busy} onClick={() => void pages.more()}>
          Older {what}
        </button>
      )}
    </Section>
  );
}
