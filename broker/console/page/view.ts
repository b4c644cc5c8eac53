/** One of the console's pages. */
export interface View {
  readonly title: string;
  /** Draws itself into its place, anew each time. Called again and again while the view is shown. */
  refresh(place: HTMLElement): Promise<void>;
  /** Another view is shown now. */
  leave?(): void;
}
