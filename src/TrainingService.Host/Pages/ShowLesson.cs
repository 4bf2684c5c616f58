using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Pages;

public static class ShowLesson
{
    public static PageResult<LessonsPage> All() => new([]);

    public static async Task<IResult> Handle(string lesson, TrainingDbContext db, CancellationToken cancellation) =>
        Lessons.Find(lesson) is not { } found
            ? Problems.NotFound($"There is no lesson '{Characters.Shorten(lesson, 100)}'{Names.DidYouMean(lesson,
                Lessons.All.Select(one => one.Slug))}.")
            : new PageResult<LessonPage>(new()
            {
                [nameof(LessonPage.Lesson)] = found,
                [nameof(LessonPage.Workers)] = await QueuePositions.WorkersAsync(db, cancellation),
            });
}
