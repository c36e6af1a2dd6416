/** Styles as text until an element wants them: which of them it has is one sheet, adopted by its root. */

export function css([text = '']: readonly string[]): string {
  return text;
}

export function adopt(root: ShadowRoot, styles: readonly string[]): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(styles.join(''));
  root.adoptedStyleSheets = [sheet];
}
