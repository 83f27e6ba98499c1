/** Copy a text; where the browser does not let a page do that, show it, selected, under a title. */
export async function copy(title: string, text: string): Promise<void> {
  try {
    // Over plain HTTP, from any host but this machine, there is no such thing.
    await navigator.clipboard.writeText(text);
  } catch {
    if (!copySelected(text)) prompt(title, text);
  }
}

function copySelected(text: string): boolean {
  const area = document.createElement("textarea");
  const focused = document.activeElement;
  area.value = text;
  area.style.position = "fixed";
  document.body.append(area);
  area.select();
  try {
    return document.execCommand("copy");
  } finally {
    area.remove();
    if (focused instanceof HTMLElement) focused.focus();
  }
}
