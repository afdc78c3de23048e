/** The numbers of a tooltip. Columns that are null are left out. */
export function ValueTable(props: {
  columns: readonly (string | null)[];
  lines: readonly { readonly name: string; readonly cells: readonly (string | null)[] }[];
}) {
  const shown = props.columns.map((column) => column !== null);
  return (
    <table class="values">
      <thead>
        <tr>
          <th />
          {props.columns
            .filter((_, index) => shown[index])
            .map((column) => (
              <th key={column}>{column}</th>
            ))}
        </tr>
      </thead>
      <tbody>
        {props.lines.map((line) => (
          <tr key={line.name}>
            <th scope="row">{line.name}</th>
            {line.cells.map((cell, index) => shown[index] === true && <td key={index}>{cell}</td>)}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
